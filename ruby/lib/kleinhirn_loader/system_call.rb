# frozen_string_literal: true

module KleinhirnLoader
  # The calls that Ruby has no method for, by Kernel#syscall: Fiddle would be one more library in the application's process,
  # and may be missing.
  module SystemCall
    # By the name that RUBY_PLATFORM gives the processor; those that the supervisor runs on.
    NUMBERS = {
      "x86_64" => { prctl: 157, setitimer: 38 },
      "aarch64" => { prctl: 167, setitimer: 103 }
    }.freeze

    PR_SET_PDEATHSIG = 1
    ITIMER_REAL = 0

    module_function

    def supported?
      NUMBERS.key?(processor)
    end

    def processor
      RUBY_PLATFORM[/\A[^-]+/]
    end

    # From now on the kernel kills this process when its parent ends (prctl(2)). A fork does not inherit that, and a parent
    # that ended before goes unnoticed, so the caller compares Process.ppid afterwards.
    def kill_with_parent
      call(:prctl, PR_SET_PDEATHSIG, Signal.list.fetch("KILL"), 0, 0, 0)
    end

    # Sends ALRM to this process in so many milliseconds, once; 0 takes that back. A fork does not inherit it (setitimer(2)).
    def alarm(milliseconds)
      seconds, rest = milliseconds.divmod(1000)
      timer = [0, 0, seconds, rest * 1000].pack("l!4")
      # As an address, for syscall refuses strings with a zero byte.
      call(:setitimer, ITIMER_REAL, [timer].pack("P").unpack1("J"), 0)
    end

    # Does nothing on other processors. Ruby calls Kernel#syscall deprecated, which is no news to the user.
    def call(name, *arguments)
      return unless supported?

      verbose = $VERBOSE
      $VERBOSE = nil
      begin
        Kernel.syscall(NUMBERS.fetch(processor).fetch(name), *arguments)
      ensure
        $VERBOSE = verbose
      end
    end
  end
end
