# frozen_string_literal: true

require "kleinhirn_loader/clock"

module KleinhirnLoader
  # How long a launch may take, from now on. When what hangs can be interrupted, it can say where, before it has to be
  # killed: the alarm comes first.
  class TimeLimit
    ALARM_PERCENT = 80

    # `deadline` is in seconds of the Clock.
    attr_reader :milliseconds, :deadline

    def initialize(milliseconds)
      @milliseconds = milliseconds
      @from = Clock.now
      @deadline = @from + (milliseconds / 1000.0)
    end

    def alarm_milliseconds
      (@milliseconds * ALARM_PERCENT / 100.0).ceil
    end

    # In seconds of the Clock.
    def alarm_at
      @from + (alarm_milliseconds / 1000.0)
    end
  end
end
