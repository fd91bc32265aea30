# frozen_string_literal: true

require "kleinhirn_loader/messages"

module KleinhirnLoader
  # The two pipes of one launch. Through the report, the process in the middle and the worker tell the preloader how far they
  # are, and its end tells that the worker has gone; at the gate, the worker waits for the request that it is to serve. All
  # ends are close-on-exec, as Ruby makes them.
  class Pipes
    # A write of this size is atomic (pipe(7)): two processes write to one report.
    MAX_REPORT_BYTES = 1024

    # Those of Linux on the processors that SystemCall knows; the library fcntl has no names for most of them.
    F_GETFL = 3
    F_SETFL = 4
    F_SETOWN = 8
    F_SETSIG = 10
    O_ASYNC = 0o20000

    attr_reader :report, :gate

    # Raises EMFILE or ENFILE.
    def initialize
      @report, @report_writer = IO.pipe
      @gate_reader, @gate = IO.pipe
    rescue SystemCallError
      close
      raise
    end

    # Leaves `report` and `gate`.
    def keep_preloader_side
      @report_writer.close
      @gate_reader.close
    end

    def keep_child_side
      @report.close
      @gate.close
    end

    # `what` is `between PID` (of the process in the middle, its own), `forked PID`, `waiting` or `failed MESSAGE`. Whether
    # the preloader still listens is no concern of the teller's: one that has given up a launch doesn't, and one that is gone
    # opens no gate.
    def tell(what)
      @report_writer.syswrite("#{Messages.shorten(what, MAX_REPORT_BYTES).tr("\n", ' ')}\n")
    rescue Errno::EPIPE
      nil
    end

    # In the worker, while the application's fork hooks run: one that hangs there never gets to its gate, and has no
    # parent that it could die with, for the process in the middle ends soon. So the kernel is asked to send KILL when the
    # gate can't be opened any more: a pipe without writers is an event for its reader (fcntl(2), F_SETOWN and F_SETSIG).
    def die_with_gate
      @gate_reader.fcntl(F_SETOWN, Process.pid)
      @gate_reader.fcntl(F_SETSIG, Signal.list.fetch("KILL"))
      @gate_reader.fcntl(F_SETFL, @gate_reader.fcntl(F_GETFL) | O_ASYNC)
      # It may have come to that before.
      exit!(ExitStatus::FAILED) if IO.select([@gate_reader], nil, nil, 0)
    end

    # To be opened is an event as well.
    def outlive_gate
      @gate_reader.fcntl(F_SETFL, @gate_reader.fcntl(F_GETFL) & ~O_ASYNC)
    end

    # Returns all that came through the gate until the preloader closed it: nothing when it was never opened.
    def wait_at_gate
      @gate_reader.read
    ensure
      close
    end

    def close
      [@report, @report_writer, @gate_reader, @gate].each { |io| io&.close }
    end
  end
end
