# frozen_string_literal: true

require "kleinhirn_loader"
require "kleinhirn_loader/channel"
require "kleinhirn_loader/connection"
require "kleinhirn_loader/error_report"
require "kleinhirn_loader/exit_status"
require "kleinhirn_loader/fork_guard"
require "kleinhirn_loader/gemfile_copy"
require "kleinhirn_loader/loader"
require "kleinhirn_loader/messages"
require "kleinhirn_loader/options"
require "kleinhirn_loader/system_call"
require "kleinhirn_loader/titles"
require "kleinhirn_loader/worker_process"

module KleinhirnLoader
  # The preloader's life: connect, load, serve. It always ends by `exit!`: the application's at_exit blocks belong to the
  # workers.
  class CLI
    CONNECT_SECONDS = 5
    # How long the supervisor may take to read what is said while nothing else is being done.
    FLUSH_SECONDS = 5

    # Takes all of `arguments`, for the application shall not find them. Returns in a worker alone: a WorkerProcess to run.
    def self.start(arguments)
      new(Options.parse(arguments.shift(arguments.size))).start
    rescue Options::Invalid => e
      warn("kleinhirn_loader: #{e.message}. The supervisor calls this program; see docs/PROTOCOL.md.")
      exit!(ExitStatus::USAGE)
    end

    def initialize(options)
      @options = options
      @pid = Process.pid
      @channel = @preloader = nil
    end

    def start
      WorkerProcess.keep_quiet_about_reported
      connect
      load_application
      serve
    rescue Channel::Closed
      leave(ExitStatus::ENDED)
    rescue SignalException => e
      leave(%w[TERM INT].include?(Signal.signame(e.signo)) ? ExitStatus::ENDED : ExitStatus.of_signal(e))
    rescue Exception => e # rubocop:disable Lint/RescueException -- nothing may reach the application's at_exit blocks
      report(ErrorReport.summary(e), e)
      leave(ExitStatus::FAILED)
    end

    private

    def connect
      @channel = Channel.new(Connection.open(@options.socket, CONNECT_SECONDS))
      say(Messages.hello)
    rescue SystemCallError => e
      warn("kleinhirn_loader: no connection to the supervisor: #{e.message}")
      leave(ExitStatus::FAILED)
    end

    def load_application
      Titles.preloader_loading(@options)
      say(Messages.loading(@options.load))
      Loader.prepare_bundle(@options.gemfile) if @options.gemfile
      set_aside_gemfile_copy
      Loader.load(@options.load)
      # The application has loaded the version of json that it wants, if any.
      require "kleinhirn_loader/preloader"
      Loader.settle_heap
    rescue Loader::Failed => e
      report(e.message, e.cause)
      leave(ExitStatus::FAILED)
    end

    def serve
      Titles.preloader_ready(@options)
      warn_of_processor unless SystemCall.supported?
      say(Messages.ready)
      @preloader = Preloader.new(@channel, @options)
      @preloader.run
    end

    def set_aside_gemfile_copy
      remark = GemfileCopy.set_aside
      say(remark) if remark
    end

    def warn_of_processor
      say(Messages.log("debug", "workers will not be killed with the supervisor: unknown processor",
                       processor: SystemCall.processor))
    end

    def say(line)
      @channel.send_line(line)
      @channel.flush_within(FLUSH_SECONDS)
    end

    def report(message, exception)
      text = ErrorReport.text(exception)
      return if @channel && Process.pid == @pid && say(Messages.error(message, text))

      warn("kleinhirn_loader: #{message}\n#{text}")
    rescue Channel::Closed
      warn("kleinhirn_loader: #{message}\n#{text}")
    end

    def leave(status)
      @preloader&.abandon_launches if Process.pid == @pid
      exit!(status)
    end
  end
end
