# frozen_string_literal: true

module KleinhirnLoader
  # The two pipes of one launch. Through the report, the process in the middle and the worker tell the preloader how far they
  # are; at the gate, the worker waits for the preloader. All ends are close-on-exec, as Ruby makes them.
  class Pipes
    # A write of this size is atomic (pipe(7)): two processes write to one report.
    MAX_REPORT_BYTES = 1024

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

    # `what` is `forked PID`, `waiting` or `failed MESSAGE`.
    def tell(what)
      @report_writer.syswrite("#{Messages.shorten(what, MAX_REPORT_BYTES).tr("\n", ' ')}\n")
    end

    # Returns whether the gate was opened; false when everyone who could open it is gone.
    def wait_at_gate
      @report_writer.close
      opened = !@gate_reader.read(1).nil?
      @gate_reader.close
      opened
    end

    def close
      [@report, @report_writer, @gate_reader, @gate].each { |io| io&.close }
    end
  end
end
