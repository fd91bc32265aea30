# frozen_string_literal: true

module KleinhirnLoader
  # The process between the preloader, whose child it is, and the workers that it forks. They become the supervisor's when it
  # ends.
  class Middle
    def initialize(pid)
      @pid = pid
      @exit = nil
    end

    # Whether it has ended and is reaped.
    def gone?
      reap unless @exit
      !@exit.nil?
    end

    def kill
      Process.kill(:KILL, @pid) unless gone?
    rescue Errno::ESRCH
      nil
    end

    # Of one that is gone.
    def describe_exit
      return "its exit was taken by someone else" unless @exit.is_a?(Process::Status)

      @exit.signaled? ? "signal #{Signal.signame(@exit.termsig)}" : "status #{@exit.exitstatus}"
    end

    private

    def reap
      @exit = Process.wait2(@pid, Process::WNOHANG)&.last
    rescue Errno::ECHILD
      # The application ignores CHLD, or waits for every child in a thread.
      @exit = :unknown
    end
  end

  # One that may be there though the fork has raised in the preloader, where a hook did so when it was done: whoever knew its
  # pid has lost it, but for itself. Nobody counts on it, nor on what it forks.
  class LostMiddle
    READ_BYTES = 4096

    # Takes the pipes that it was forked with.
    def initialize(pipes)
      first, *others = pipes
      others.each(&:close)
      first.keep_preloader_side
      first.gate.close
      @report = first.report
      @middle = nil
    end

    def to_io
      @report
    end

    # Whether it may yet be heard of, through the report.
    def unknown?
      @middle.nil?
    end

    # Whether it has ended and is reaped, or never was. Ends it as soon as it has said who it is.
    def gone?
      @middle ||= find
      return @report.closed? unless @middle

      @middle.kill
      @middle.gone?
    end

    # In a child.
    def close
      @report.close
    end

    private

    # nil: it has not spoken yet; or nobody is left who could, and the report is closed.
    def find
      said = @report.read_nonblock(READ_BYTES, exception: false)
      return if said == :wait_readable

      close
      pid = said && said[/\Abetween (\d+)$/, 1]
      Middle.new(Integer(pid)) if pid
    end
  end
end
