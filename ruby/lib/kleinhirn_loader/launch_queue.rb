# frozen_string_literal: true

require "kleinhirn_loader/clock"
require "kleinhirn_loader/messages"
require "kleinhirn_loader/time_limit"

module KleinhirnLoader
  # The supervisor's requests, and the processes forked for them. Neither belongs to the other: whichever process waits at
  # its gate gets the request that is due first. So what counts is that there are enough of them, and that each request is
  # answered once, `launched` or `failed`. docs/ARCHITECTURE.md has the table of states and events.
  class LaunchQueue
    # How many workers the process in the middle forks, where so many are asked for. With more of them, one fork of the
    # preloader serves more workers; but none is there before all of them are.
    MAX_GROUP = 4
    # How long nothing is asked for and nothing announced before a process is forked ahead: it shall not compete with workers
    # that start.
    IDLE_SECONDS = 0.05

    # A SpawnRequest that waits for its worker.
    Waiting = Struct.new(:request, :limit)

    def initialize(channel)
      @channel = channel
      @waiting = []
      @launches = []
      @middles = []
      @standby_at = @last_timeout_ms = @told = nil
    end

    def ask(request)
      @waiting << Waiting.new(request, TimeLimit.new(request.timeout_ms))
      # The first due comes first: with one order for all, each request has at any time a launch that is given up no later
      # than it is due itself, whatever timeouts the sets have.
      @waiting.sort_by! { |waiting| waiting.limit.deadline }
      forking.zip(@waiting) { |launch, waiting| launch.hurry(waiting.limit) if waiting }
      @last_timeout_ms = request.timeout_ms
      expect_more
    end

    # What is to be forked now: a number of processes, 0 if none, and their TimeLimit.
    def wanted(now)
      missing = @waiting.drop(idle.size + forking.size)
      return [[missing.size, MAX_GROUP].min, missing.first.limit] unless missing.empty?
      return [1, TimeLimit.new(@last_timeout_ms)] if standby_due?(now)

      [0, nil]
    end

    def begun(launches)
      @launches.concat(launches)
      @middles |= launches.map(&:middle)
    end

    # Nothing could be forked. It costs one of the requests that it was for: the others are tried once more.
    def failed_to_begin(message)
      lose(@waiting.delete_at(idle.size + forking.size), message)
    end

    # Looks what has happened to the launches, and answers what can be answered. A request must have been read before this
    # look at the process that will serve it: one whose end the supervisor had seen before it asked is not announced then.
    def advance(now)
      @launches.each do |launch|
        before = launch.state
        launch.advance(now)
        note(launch, before)
      end
      match
      @launches.reject!(&:over?)
      end_useless_middles
    end

    # Writes on to open gates.
    def push
      @launches.select(&:opening?).each(&:push)
    end

    # From which something may be read.
    def readers
      @launches.select(&:listening?)
    end

    # Gates that take more.
    def writers
      @launches.select(&:opening?).map(&:gate)
    end

    # Whether the next thing to happen is the end of a process in the middle. There is no descriptor to wait for it with.
    def ending?
      !(@middles - @launches.select(&:underway?).map(&:middle)).empty?
    end

    # Seconds until something is due; nil: nothing is.
    def patience(now)
      due = @launches.map { |launch| launch.patience(now) }
      due << [@standby_at - now, 0].max if @standby_at && idle?
      due.compact.min
    end

    # Ends what the supervisor doesn't know of.
    def abandon
      @launches.each(&:abandon)
      @middles.each(&:kill)
    end

    # In a child: another's gate, held open there, would keep that worker waiting after the preloader's end.
    def close
      @launches.each(&:close)
    end

    private

    # Hooks are the application's in there as well: one that hangs after each of its workers was lost would stay for good.
    def end_useless_middles
      @middles.reject!(&:gone?)
      (@middles - forking.map(&:middle)).each(&:kill)
    end

    def forking
      @launches.select { |launch| launch.state == :forking }
    end

    def idle
      @launches.select { |launch| launch.state == :waiting }
    end

    # Nothing is asked for, nothing is there or on its way.
    def idle?
      @waiting.empty? && forking.empty? && idle.empty?
    end

    def expect_more
      @standby_at = Clock.now + IDLE_SECONDS
    end

    def standby_due?(now)
      @standby_at && now >= @standby_at && idle?
    end

    def note(launch, before)
      return if launch.state == before || launch.state != :lost

      # One that died at its gate was forked well: the kernel was short of memory, or somebody has killed it. A request that
      # would have been its gets another.
      return lose_idle(launch.failure) if before == :waiting

      lose((@waiting.shift if @waiting.size > idle.size + forking.size), launch.failure)
    end

    def lose_idle(reason)
      @standby_at = nil if @waiting.empty?
      tell_of_loss("debug", reason)
    end

    # `waiting` is nil when no request counted on it. The next process is forked ahead after the next request, lest forks
    # that fail follow one another without end.
    def lose(waiting, reason)
      @standby_at = nil
      return tell_of_loss("warning", reason) unless waiting

      @channel.send_line(Messages.failed(waiting.request.id, reason))
    end

    def tell_of_loss(level, reason)
      @channel.send_line(Messages.log(level, "a process that was forked ahead of need was lost", reason: reason))
    end

    def match
      idle.each do |launch|
        waiting = @waiting.shift
        next tell_of(launch) unless waiting

        announce(launch, waiting.request)
      end
    end

    # The gate is opened when the kernel has all of the announcement: a worker's ack can't overtake it then.
    def announce(launch, request)
      launch.announce
      expect_more if @standby_at
      @channel.send_line(Messages.launched(request.id, launch.worker)) { launch.open_gate(request) }
    end

    # So that the supervisor does not take its end for a stranger's.
    def tell_of(launch)
      @channel.send_line(Messages.standby(launch.worker)) unless @told == launch
      @told = launch
    end
  end
end
