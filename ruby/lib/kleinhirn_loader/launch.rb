# frozen_string_literal: true

module KleinhirnLoader
  # A worker to be, seen from the preloader. It is `:forking` until its process waits at its gate and the process in the
  # middle has been reaped (only then is it the supervisor's child), then `:waiting`, for no request in particular. It is
  # `:announced` as the worker of one request, and runs when its gate has been opened; or else it is `:lost`.
  class Launch
    READ_BYTES = 4096

    # `worker` is a pid; `failure` says why it was lost.
    attr_reader :state, :middle, :worker, :failure

    def initialize(middle, pipes, limit)
      @middle = middle
      @pipes = pipes
      @limit = limit
      @text = String.new
      @state = :forking
      @at_gate = @silent = @closed = false
      @worker = @failure = @letter = nil
    end

    # The report.
    def to_io
      @pipes.report
    end

    # The end of the gate into which the request goes.
    def gate
      @pipes.gate
    end

    # Whether news may come through the report.
    def listening?
      %i[forking waiting].include?(@state) && !@silent
    end

    # Whether more is to be heard of it before the process in the middle can have ended.
    def underway?
      @state == :forking && !@at_gate && !@silent
    end

    # Whether the request is on its way through the gate, which takes less at a time than the longest request.
    def opening?
      !@letter.nil? && !@closed
    end

    # Whether nothing is left to be done.
    def over?
      @closed
    end

    # A request counts on it that has less time.
    def hurry(limit)
      @limit = limit if limit.deadline < @limit.deadline
    end

    # Seconds until this will have taken too long; nil when it can't, or has.
    def patience(now)
      return if @state != :forking || (@at_gate && now >= @limit.deadline)

      [@limit.deadline - now, 0].max
    end

    # Looks what has happened, by which its state may change.
    def advance(now)
      return unless %i[forking waiting].include?(@state)

      # What the process in the middle said is in the pipe when its end is seen: it is asked first.
      ended = @middle.gone?
      listen unless @silent
      @middle.kill if @state == :forking && now >= @limit.deadline
      @failure ||= reason_to_give_up(ended, now)
      return abandon if @failure

      @state = :waiting if there? && @middle.gone?
    end

    # From now on it is the supervisor's.
    def announce
      @state = :announced
    end

    # Lets the announced worker run, with the SpawnRequest that it is to serve. It may be gone already, which is the
    # supervisor's to notice.
    def open_gate(request)
      @letter = request.to_letter
      push
    end

    # Writes as much of the request as the pipe takes now.
    def push
      count = @pipes.gate.write_nonblock(@letter, exception: false)
      return if count == :wait_writable

      @letter = @letter.byteslice(count..-1)
      close if @letter.empty?
    rescue Errno::EPIPE
      close
    end

    # Ends what nobody was told about: what waits at its gate goes by itself when that can't be opened any more.
    def abandon
      return if @closed || @state == :announced

      @state = :lost
      kill_worker if @worker && !@at_gate && !@silent
      close
    end

    def close
      @closed = true
      @pipes.close
    end

    private

    # The process waits at its gate, and who it is is known.
    def there?
      @at_gate && !@worker.nil?
    end

    def listen
      loop do
        bytes = @pipes.report.read_nonblock(READ_BYTES, exception: false)
        return if bytes == :wait_readable
        return @silent = true if bytes.nil?

        @text << bytes
        while (line = @text.slice!(/\A[^\n]*\n/))
          note(*line.chomp.split(" ", 2))
        end
      end
    end

    def note(what, rest = nil)
      case what
      when "forked" then @worker = Integer(rest)
      when "waiting" then @at_gate = true
      when "failed" then @failure = "the fork failed: #{rest}"
      end
    end

    # `ended` says whether the process in the middle has. Silence: so has everyone else who could write to the report.
    def reason_to_give_up(ended, now)
      return describe_hang if @state == :forking && now >= @limit.deadline && !there?
      return unless ended
      return "the process ended while it waited at its gate" if @silent && there?

      "the forked process ended before the worker was there (#{@middle.describe_exit})" if @silent || !@worker
    end

    def describe_hang
      "the fork was not done within #{@limit.milliseconds} ms: a fork hook of the application or of a library " \
        "(Process._fork, pthread_atfork) probably hangs in #{@worker ? 'the worker' : 'the process between'}"
    end

    def kill_worker
      Process.kill(:KILL, @worker)
    rescue Errno::ESRCH
      nil
    end
  end
end
