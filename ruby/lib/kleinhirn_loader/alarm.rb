# frozen_string_literal: true

require "kleinhirn_loader/clock"
require "kleinhirn_loader/system_call"

module KleinhirnLoader
  # Interrupts what takes too long in this very process: hooks before a fork, and the fork itself, which Ruby tries again
  # without end while the system's limit of processes is reached (fork(2), EAGAIN). The preloader can't use a thread for it:
  # that would be a thread in a process that forks.
  class Alarm
    # No StandardError: a hook's own `rescue` shall not take it for its own.
    class Rang < Exception # rubocop:disable Lint/InheritException
      # Whether it came in a call from that file into Ruby itself, with no other code in between.
      def interrupted_call_from?(file)
        backtrace.find { |line| !line.start_with?("#{__FILE__}:") }.to_s.start_with?("#{file}:")
      end
    end

    # Runs the block with a started Alarm. `ALRM` is ours meanwhile, and what it meant to the application before is its again
    # afterwards. It may ring at any time: so the trap is there before the timer is, and undone however the block ends.
    def self.during(limit)
      alarm = new(limit)
      alarm.start
      yield alarm
    ensure
      alarm&.stop
    end

    def initialize(limit)
      @at = limit.alarm_at
      @silenced = false
      message = "not done within #{limit.alarm_milliseconds} ms"
      @before = trap("ALRM") { raise Rang, message unless @silenced }
    end

    # Also for a child, which inherits the trap and not the timer. A time that is over rings at once: 0 would be never.
    def start
      SystemCall.alarm([((@at - Clock.now) * 1000).ceil, 1].max)
    end

    # For what must not be interrupted any more. A signal that has come already may still be on its way through Ruby.
    def silence
      @silenced = true
    end

    def stop
      silence
      SystemCall.alarm(0)
      trap("ALRM", @before)
    end
  end
end
