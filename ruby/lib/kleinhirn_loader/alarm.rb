# frozen_string_literal: true

require "kleinhirn_loader/system_call"

module KleinhirnLoader
  # Interrupts what takes too long in this very process: hooks before a fork, and the fork itself, which Ruby tries again
  # without end while the system's limit of processes is reached (fork(2), EAGAIN). The preloader can't use a thread for it:
  # that would be a thread in a process that forks.
  class Alarm
    # No StandardError: a hook's own `rescue` shall not take it for its own.
    class Rang < Exception; end # rubocop:disable Lint/InheritException

    # `ALRM` is ours from here to `stop`, and what it meant to the application before is its again afterwards.
    def initialize(milliseconds)
      @milliseconds = milliseconds
      message = "not done within #{milliseconds} ms"
      @before = trap("ALRM") { raise Rang, message }
      start
    end

    # Also for a child, which inherits the trap and not the timer.
    def start
      SystemCall.alarm(@milliseconds)
    end

    def stop
      SystemCall.alarm(0)
      trap("ALRM", @before)
    end
  end
end
