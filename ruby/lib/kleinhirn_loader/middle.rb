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
end
