# frozen_string_literal: true

module KleinhirnLoader
  # A double fork on its way, seen from the preloader. It is `:forking` until the worker waits at its gate and the process in
  # the middle has been reaped (only then is the worker the supervisor's child), then `:launched`; or else it is `:failed`.
  class Launch
    READ_BYTES = 4096

    attr_reader :request, :worker, :failure

    def initialize(request, middle, pipes, deadline)
      @request = request
      @middle = middle
      @pipes = pipes
      @deadline = deadline
      @text = String.new
      @state = :forking
      @waiting = @silent = @closed = false
      @worker = @exit = @failure = nil
    end

    def to_io
      @pipes.report
    end

    # Whether news may come through the report.
    def listening?
      @state == :forking && !@silent
    end

    # Whether the next thing to happen is the end of the process in the middle. There is no descriptor to wait for it with.
    def ending?
      !@exit && (@state != :forking || @waiting || @silent)
    end

    # Whether nothing is left to be done, not even to be reaped.
    def over?
      @closed && @exit
    end

    # Seconds until this will have taken too long; nil when it can't any more.
    def patience(now)
      [@deadline - now, 0].max if @state == :forking
    end

    # Looks what has happened. Returns `:launched` or `:failed` once, when it has come to that; else nil.
    def advance(now)
      reap unless @exit
      return unless @state == :forking

      listen if listening?
      @failure ||= reason_to_give_up(now)
      @state = :failed if @failure
      @state = :launched if @waiting && @exit && !@failure
      @state unless @state == :forking
    end

    # Lets the announced worker run. It may be gone already, which is the supervisor's to notice.
    def open_gate
      @pipes.gate.syswrite("!")
    rescue Errno::EPIPE
      nil
    ensure
      close
    end

    # Ends what nobody was told about. A worker whose gate was opened is none of the preloader's any more.
    def abandon
      return if @closed

      kill(@worker) if @worker && !@silent
      kill(@middle) unless @exit
      close
    end

    def close
      @closed = true
      @pipes.close
    end

    private

    def listen
      bytes = @pipes.report.read_nonblock(READ_BYTES, exception: false)
      return if bytes == :wait_readable
      return @silent = true if bytes.nil?

      @text << bytes
      while (line = @text.slice!(/\A[^\n]*\n/))
        note(*line.chomp.split(" ", 2))
      end
    end

    def note(what, rest = nil)
      case what
      when "forked" then @worker = Integer(rest)
      when "waiting" then @waiting = true
      when "failed" then @failure = "the fork failed: #{rest}"
      end
    end

    # Both writers of the report have closed it: the worker does when it waits, or by ending.
    def reason_to_give_up(now)
      return if @waiting && @exit
      return "the forked process ended before the worker was there (#{describe_exit})" if @silent && !@waiting && @exit
      return if now < @deadline

      "the fork was not done within #{request.timeout_ms} ms: a fork hook of the application or of a library " \
        "(Process._fork, pthread_atfork) probably hangs in #{@worker ? 'the worker' : 'the process between'}"
    end

    def describe_exit
      return "its exit was taken by someone else" unless @exit.is_a?(Process::Status)

      @exit.signaled? ? "signal #{Signal.signame(@exit.termsig)}" : "status #{@exit.exitstatus}"
    end

    def reap
      @exit = Process.wait2(@middle, Process::WNOHANG)&.last
    rescue Errno::ECHILD
      # The application ignores CHLD, or waits for every child in a thread.
      @exit = :unknown
    end

    def kill(pid)
      Process.kill(:KILL, pid)
    rescue Errno::ESRCH
      nil
    end
  end
end
