# frozen_string_literal: true

require "kleinhirn_loader/clock"
require "kleinhirn_loader/system_call"

module KleinhirnLoader
  # Interrupts what takes too long in this very process: hooks before a fork, and the fork itself, which Ruby tries again
  # without end while the system's limit of processes is reached (fork(2), EAGAIN). The preloader can't use a thread for it:
  # that would be a thread in a process that forks.
  class Alarm
    # No StandardError: a hook's own `rescue` shall not take it for its own.
    class Rang < Exception; end # rubocop:disable Lint/InheritException

    # `ALRM` is ours from here to `stop`, and what it meant to the application before is its again afterwards.
    def initialize(limit)
      @at = limit.alarm_at
      message = "not done within #{limit.alarm_milliseconds} ms"
      @before = trap("ALRM") { raise Rang, message }
      start
    end

    # Also for a child, which inherits the trap and not the timer. A time that is over rings at once: 0 would be never.
    def start
      SystemCall.alarm([((@at - Clock.now) * 1000).ceil, 1].max)
    end

    def stop
      SystemCall.alarm(0)
      trap("ALRM", @before)
    end
  end
end
