# frozen_string_literal: true

require "kleinhirn_loader/error_report"
require "kleinhirn_loader/exit_status"
require "kleinhirn_loader/fork_guard"
require "kleinhirn_loader/launch"
require "kleinhirn_loader/middle"
require "kleinhirn_loader/pipes"
require "kleinhirn_loader/spawn_request"
require "kleinhirn_loader/system_call"
require "kleinhirn_loader/titles"

module KleinhirnLoader
  # Forks twice: the process in the middle ends as soon as it has forked, so that the kernel gives its children, the workers,
  # to the supervisor, the nearest subreaper above (prctl(2), PR_SET_CHILD_SUBREAPER).
  #
  # Fork hooks (`Process._fork`) are the application's code. They run inside our calls of fork, on both sides, and may hang
  # or raise on either. Nothing that is raised in a child may leave this file, or it would run on as a second preloader.
  class Fork
    # By these a process is asked to go. Before it has become a worker, the application has no say in that.
    QUIETLY = %w[TERM INT QUIT].freeze

    # `let_go` closes, in a child, what belongs to the preloader.
    def initialize(options, let_go)
      @options = options
      @let_go = let_go
      @preloader = Process.pid
      @lost = []
    end

    # In the preloader: returns as many Launches, or raises what kept the first fork from happening. In a worker: returns the
    # SpawnRequest that it is to serve, once the preloader has announced it; until then it belongs to the preloader, and ends
    # with it. `alarm` is running.
    def start(count, limit, alarm)
      pipes = open_pipes(count)
      middle = fork_middle(pipes, alarm)
      return pipes.map { |own| Launch.new(middle, own, limit) } if middle

      be_worker(be_middle(pipes, alarm))
    end

    # From which something may be heard of processes that were lost.
    def readers
      @lost.select(&:unknown?)
    end

    # Whether one of them is about to end.
    def ending?
      !@lost.all?(&:unknown?)
    end

    def end_lost
      @lost.reject!(&:gone?)
    end

    private

    def open_pipes(count)
      pipes = []
      count.times { pipes << Pipes.new }
      pipes
    rescue SystemCallError
      pipes.each(&:close)
      raise
    end

    def fork_middle(pipes, alarm)
      pid = ForkGuard.fork { follow_preloader }
      return unless pid

      # What is raised from here on would lose what has been forked.
      alarm.silence
      pipes.each(&:keep_preloader_side)
      Middle.new(pid)
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook's, and maybe in the child
      fail_in_middle(pipes, e) if Process.pid != @preloader
      # The hook may have raised when the fork was done.
      @lost << LostMiddle.new(pipes)
      raise
    end

    # Returns in the workers alone, with their own pipes.
    def be_middle(pipes, alarm)
      middle = Process.pid
      pipes.first.tell("between #{middle}")
      alarm.start
      @let_go.call
      @lost.each(&:close)
      pipes.each(&:keep_child_side)
      fork_workers(pipes)
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook's, in the middle or in a worker
      # A worker speaks for itself alone, the process in the middle for those that it has not forked.
      fail_in_child(Process.pid == middle ? pipes : pipes.first(1), e)
    end

    # No worker may hold an end of a sibling's pipes: the end of the report tells that the sibling has gone. `pipes` are
    # always those of the workers that are not there yet.
    def fork_workers(pipes)
      until pipes.empty?
        own = pipes.first
        worker = ForkGuard.fork { own.die_with_gate }
        return own.tap { pipes.drop(1).each(&:close) } unless worker

        own.tell("forked #{worker}")
        own.close
        pipes.shift
      end
      exit!(ExitStatus::ENDED)
    end

    # A hook that hangs in the middle must not outlive a preloader that can no longer kill it.
    def follow_preloader
      SystemCall.kill_with_parent
      exit!(ExitStatus::FAILED) if Process.ppid != @preloader
    end

    def be_worker(pipes)
      Process.setsid
      pipes.outlive_gate
      Titles.standby(@options)
      letter = go_quietly do
        # Whoever hears of this process may ask it to go.
        pipes.tell("waiting")
        pipes.wait_at_gate
      end
      exit!(ExitStatus::ENDED) if letter.empty?
      SpawnRequest.from_letter(letter)
    rescue SignalException => e
      # The supervisor may ask the worker to go as soon as it was announced.
      exit!(ExitStatus.of_signal(e))
    rescue Exception # rubocop:disable Lint/RescueException -- half a request from a preloader that died, or an application's trap
      exit!(ExitStatus::FAILED)
    end

    # The application's own traps are in place again when the block has returned.
    def go_quietly
      before = QUIETLY.map { |name| [name, trap(name) { exit!(ExitStatus::ENDED) }] }
      yield
    ensure
      before&.each { |name, handler| trap(name, handler) }
    end

    def fail_in_middle(pipes, exception)
      pipes.first.tell("between #{Process.pid}")
      fail_in_child(pipes, exception)
    end

    def fail_in_child(pipes, exception)
      text = "failed #{ErrorReport.summary(exception)} at #{ErrorReport.place(exception)}"
      pipes.each { |own| own.tell(text) }
    ensure
      exit!(ExitStatus::FAILED)
    end
  end
end
