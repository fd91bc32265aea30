# frozen_string_literal: true

require "puma"
require "puma/configuration"
require "puma/launcher"
require "puma/single"

module Shop
  # Puma in single mode, inside one worker. kleinhirn does what Puma's cluster mode would: loading once, forking,
  # restarting.
  module WebServer
    class << self
      # Returns when the worker has been asked to stop and the last request has been answered.
      def run(app)
        launcher(app).run
      end

      private

      def launcher(app)
        events = Puma::Events.new
        events.after_booted do
          leave_restarts_to_the_supervisor
          Supervision.ready
        end
        # The supervisor reports starts and stops already; what goes wrong is still worth a line.
        log_writer = Puma::LogWriter.new(File.open(File::NULL, "w"), $stderr)
        Puma::Launcher.new(configuration(app), events: events, log_writer: log_writer)
      end

      def configuration(app)
        Puma::Configuration.new do |config|
          config.app app
          config.directory ROOT
          config.environment ENV.fetch("APP_ENV", "development")
          config.workers 0
          config.threads 1, 5
          config.quiet
          config.tag "shop #{Supervision.worker}"
          # TERM is how the supervisor asks: then this process ends with status 0, after the last answer.
          config.raise_exception_on_sigterm false
          listen(config)
        end
      end

      # Several workers can only share a port when its socket was there before them. Puma closes inherited sockets
      # that it wasn't told to use.
      def listen(config)
        if ENV.key?("LISTEN_FDS")
          config.bind_to_activated_sockets "only"
        else
          config.bind "tcp://#{ENV.fetch('HOST', '127.0.0.1')}:#{ENV.fetch('PORT', '9292')}"
        end
      end

      # At USR1 and USR2 Puma restarts itself by exec, at HUP it stops. kleinhirn passes these signals on to every
      # worker, and a worker that runs a preloaded copy has nothing to restart itself from.
      def leave_restarts_to_the_supervisor
        %w[HUP USR1 USR2].each { |signal| Signal.trap(signal, "IGNORE") }
      end
    end
  end
end
