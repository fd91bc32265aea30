# frozen_string_literal: true

require "kleinhirn_loader/alarm"
require "kleinhirn_loader/channel"
require "kleinhirn_loader/clock"
require "kleinhirn_loader/error_report"
require "kleinhirn_loader/fork"
require "kleinhirn_loader/hooks"
require "kleinhirn_loader/launch_queue"
require "kleinhirn_loader/requests"
require "kleinhirn_loader/worker_process"

module KleinhirnLoader
  # Forks workers from the loaded code, as the supervisor asks. One thread, and nothing in it waits for one launch alone.
  class Preloader
    # How soon to look again for the end of a process that is about to end.
    REAP_SECONDS = 0.001
    # IO.select refuses a time that is longer than the kernel can count.
    LONGEST_WAIT_SECONDS = 3600

    def initialize(channel, options)
      @channel = channel
      @options = options
      @requests = Requests.new(channel)
      @queue = LaunchQueue.new(channel)
      @fork = Fork.new(options, method(:let_go))
    end

    # Returns in a worker alone: the WorkerProcess that it is to run, once this stack is unwound. In the preloader it goes on
    # until an exception ends it: Channel::Closed, or a signal's.
    def run
      worker = nil
      worker = turn until worker
      worker
    end

    # Ends the launches that the supervisor doesn't know of.
    def abandon_launches
      @queue.abandon
    end

    private

    # One fork a turn, so that launches on their way are attended to between two, which take milliseconds.
    def turn
      @channel.fill if wait.include?(@channel)
      take_requests
      @queue.advance(Clock.now)
      @fork.end_lost
      @queue.push
      @channel.flush
      fork_wanted
    end

    # Returns what is readable.
    def wait
      readers = @queue.readers + @fork.readers
      readers << @channel if @channel.wants_input?
      writers = @queue.writers
      writers << @channel if @channel.unwritten?
      readable, = IO.select(readers, writers, nil, longest_wait)
      readable || []
    end

    # In seconds; nil: as long as nothing happens.
    def longest_wait
      now = Clock.now
      return 0 if @channel.line? || @queue.wanted(now).first.positive?
      return REAP_SECONDS if @queue.ending? || @fork.ending?

      @queue.patience(now)&.clamp(0, LONGEST_WAIT_SECONDS)
    end

    def take_requests
      while (line = @channel.next_line)
        request = @requests.read(line)
        @queue.ask(request) if request
      end
    end

    def fork_wanted
      count, limit = @queue.wanted(Clock.now)
      fork_launches(count, limit) if count.positive?
    end

    # Returns a WorkerProcess in a worker, nil in the preloader.
    def fork_launches(count, limit)
      forked = Alarm.during(limit) do |alarm|
        Hooks.run(:before_fork)
        @fork.start(count, limit, alarm)
      end
      return WorkerProcess.new(@options, forked) if forked.is_a?(SpawnRequest)

      @queue.begun(forked)
      nil
    rescue SignalException
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook may raise anything, `exit` included
      @queue.failed_to_begin("#{ErrorReport.summary(e)} at #{ErrorReport.place(e)}")
      nil
    end

    # In a child. The end of the control connection has to mean the end of the preloader.
    def let_go
      @channel.close
      @queue.close
    end
  end
end
