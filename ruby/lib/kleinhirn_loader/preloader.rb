# frozen_string_literal: true

require "kleinhirn_loader/alarm"
require "kleinhirn_loader/channel"
require "kleinhirn_loader/clock"
require "kleinhirn_loader/error_report"
require "kleinhirn_loader/fork"
require "kleinhirn_loader/hooks"
require "kleinhirn_loader/messages"
require "kleinhirn_loader/requests"
require "kleinhirn_loader/worker_process"

module KleinhirnLoader
  # Forks workers from the loaded code, as the supervisor asks. One thread, and nothing in it waits for one launch alone.
  class Preloader
    # How soon to look again for the end of a process that is about to end.
    REAP_SECONDS = 0.001
    # Of the time that a launch may take: when what hangs can be interrupted, it can say where, before it has to be killed.
    ALARM_PERCENT = 80

    def initialize(channel, options)
      @channel = channel
      @options = options
      @requests = Requests.new(channel)
      @launches = []
      @fork = Fork.new(method(:let_go))
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
      @launches.each(&:abandon)
    end

    private

    # One request a turn, so that launches on their way are attended to between two forks, which take milliseconds.
    def turn
      @channel.fill if wait.include?(@channel)
      @launches.each { |launch| conclude(launch, launch.advance(Clock.now)) }
      @launches.reject!(&:over?)
      @channel.flush
      line = @channel.next_line
      request = @requests.read(line) if line
      launch(request) if request
    end

    # Returns what is readable.
    def wait
      readers = @launches.select(&:listening?)
      readers << @channel if @channel.wants_input?
      readable, = IO.select(readers, @channel.unwritten? ? [@channel] : nil, nil, longest_wait)
      readable || []
    end

    # In seconds; nil: as long as nothing happens.
    def longest_wait
      return 0 if @channel.line?
      return REAP_SECONDS if @launches.any?(&:ending?)

      now = Clock.now
      @launches.map { |launch| launch.patience(now) }.compact.min
    end

    # The gate is opened when the kernel has all of the announcement: a worker's ack can't overtake it then.
    def conclude(launch, outcome)
      id = launch.request.id
      case outcome
      when :launched
        @channel.send_line(Messages.launched(id, launch.worker)) { launch.open_gate }
      when :failed
        @channel.send_line(Messages.failed(id, launch.failure))
        launch.abandon
      end
    end

    # Returns a WorkerProcess in the worker, nil in the preloader.
    def launch(request)
      deadline = Clock.now + (request.timeout_ms / 1000.0)
      alarm = Alarm.new((request.timeout_ms * ALARM_PERCENT / 100.0).ceil)
      Hooks.run(:before_fork)
      launch = @fork.start(request, deadline, alarm)
      alarm.stop
      return WorkerProcess.new(@options, request) unless launch

      @launches << launch
      nil
    rescue SignalException
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook may raise anything, `exit` included
      alarm&.stop
      @channel.send_line(Messages.failed(request.id, "#{ErrorReport.summary(e)} at #{ErrorReport.place(e)}"))
      nil
    end

    # In a child. Another launch's gate, held open here, would keep that worker waiting after the preloader's end; and the
    # end of the control connection has to mean the end of the preloader.
    def let_go
      @channel.close
      @launches.each(&:close)
    end
  end
end
