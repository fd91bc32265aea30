# frozen_string_literal: true

require "kleinhirn_loader/error_report"
require "kleinhirn_loader/exit_status"
require "kleinhirn_loader/launch"
require "kleinhirn_loader/pipes"
require "kleinhirn_loader/system_call"

module KleinhirnLoader
  # Forks twice: the process in the middle ends at once, so that the kernel gives its child, the worker, to the supervisor,
  # the nearest subreaper above (prctl(2), PR_SET_CHILD_SUBREAPER).
  #
  # Fork hooks (`Process._fork`) are the application's code. They run inside our calls of fork, on both sides, and may hang
  # or raise on either. Nothing that is raised in a child may leave this file, or it would run on as a second preloader.
  class Fork
    # `let_go` closes, in a child, what belongs to the preloader.
    def initialize(let_go)
      @let_go = let_go
      @preloader = Process.pid
    end

    # In the preloader: returns a Launch, or raises what kept the first fork from happening. In the worker: returns nil, once
    # the preloader has announced it; until then nobody knows of the worker, and if the preloader ends, so does it.
    # `deadline` is by the Clock; `alarm` is running.
    def start(request, deadline, alarm)
      pipes = Pipes.new
      middle = fork_middle(pipes)
      return Launch.new(request, middle, pipes, deadline) if middle

      be_middle(pipes, alarm)
      be_worker(pipes)
      nil
    end

    private

    def fork_middle(pipes)
      pid = Process.fork
      pipes.keep_preloader_side if pid
      pid
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook's, and maybe in the child
      fail_in_child(pipes, e) if Process.pid != @preloader
      pipes.close
      raise
    end

    # Returns in the worker alone.
    def be_middle(pipes, alarm)
      alarm.start
      @let_go.call
      pipes.keep_child_side
      # A hook that hangs here must not outlive a preloader that can no longer kill us.
      SystemCall.kill_with_parent
      exit!(ExitStatus::FAILED) if Process.ppid != @preloader
      worker = Process.fork
      return unless worker

      pipes.tell("forked #{worker}")
      exit!(ExitStatus::ENDED)
    rescue Exception => e # rubocop:disable Lint/RescueException -- a hook's, in the middle or in the worker
      fail_in_child(pipes, e)
    end

    def be_worker(pipes)
      Process.setsid
      pipes.tell("waiting")
      exit!(ExitStatus::ENDED) unless pipes.wait_at_gate
    rescue SignalException => e
      # The supervisor may ask the worker to go as soon as it was announced.
      exit!(ExitStatus.of_signal(e))
    rescue Exception # rubocop:disable Lint/RescueException -- the report's reader is gone, or a trap of the application's
      exit!(ExitStatus::FAILED)
    end

    def fail_in_child(pipes, exception)
      pipes.tell("failed #{ErrorReport.summary(exception)} at #{ErrorReport.place(exception)}")
    ensure
      exit!(ExitStatus::FAILED)
    end
  end
end
