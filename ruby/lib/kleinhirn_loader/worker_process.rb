# frozen_string_literal: true

require "kleinhirn_loader"
require "kleinhirn_loader/entropy"
require "kleinhirn_loader/environment"
require "kleinhirn_loader/error_report"
require "kleinhirn_loader/exit_status"
require "kleinhirn_loader/report"
require "kleinhirn_loader/system_call"

module KleinhirnLoader
  # The life of a worker, from the gate on. It is run with nothing of the preloader on the stack.
  class WorkerProcess
    @reported = false

    class << self
      # The exception that ends a worker is raised to the very top, because at_exit blocks shall see it: error trackers do
      # their work there. Then Ruby prints it to $stderr, which is once too often when the supervisor already has it. This
      # is registered before the application's blocks, and so runs after them.
      def keep_quiet_about_reported
        at_exit { $stderr = File.open(File::NULL, "w") if @reported }
      end

      def reported
        @reported = true
      end
    end

    def initialize(options, request)
      @options = options
      @request = request
    end

    # Raises what the start expression raises, as a script at the top level would.
    def run
      pid = Process.pid
      prepare
      Hooks.run(:after_fork, Worker.current)
      eval(@request.expression, TOPLEVEL_BINDING, "start_expression of #{@request.set}", 1) # rubocop:disable Security/Eval
    rescue SystemExit, SignalException
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- ScriptError, NoMemoryError, the application's own
      # A child of the worker's that fell out of the expression: not the worker's failure.
      report(e) if Process.pid == pid
      raise
    end

    private

    def prepare
      follow_supervisor
      limit_open_files
      STDIN.reopen(File::NULL)
      Environment.assume(@options, @request)
      Worker.become_current.show("starting")
      Dir.chdir(@options.cwd)
      Entropy.renew
    end

    # The supervisor may have died at any time since the fork. What was reparented elsewhere must not serve on its own.
    def follow_supervisor
      supervisor = @request.supervisor_pid || @options.supervisor_pid
      exit!(ExitStatus::FAILED) if Process.ppid != supervisor
      SystemCall.kill_with_parent
      exit!(ExitStatus::FAILED) if Process.ppid != supervisor
    end

    # The soft limit alone: the hard one stays, for the application to raise its own.
    def limit_open_files
      return unless @request.open_files

      hard = Process.getrlimit(:NOFILE).last
      Process.setrlimit(:NOFILE, [@request.open_files, hard].min, hard)
    end

    # Waits for the answer, so that the supervisor has the message before it sees the exit. When it can't be told, Ruby
    # prints the exception to stderr, as it does for any program.
    def report(exception)
      line = Messages.error(ErrorReport.summary(exception), ErrorReport.text(exception), @request.id)
      refusal = Report.deliver(@options.socket, line, true)
      return WorkerProcess.reported unless refusal

      warn("kleinhirn_loader: the supervisor did not take the report of this exception: #{refusal}")
    rescue SystemCallError, IOError => e
      warn("kleinhirn_loader: the supervisor could not be told of this exception: #{e.class}: #{e.message}")
    end
  end
end
