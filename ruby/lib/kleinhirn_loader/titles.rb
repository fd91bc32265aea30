# frozen_string_literal: true

module KleinhirnLoader
  # What `ps` shows (specification section 6).
  module Titles
    module_function

    def preloader_loading(options)
      Process.setproctitle("kleinhirn: #{options.name} preloader gen #{options.generation} loading #{options.load}")
    end

    def preloader_ready(options)
      Process.setproctitle("kleinhirn: #{options.name} preloader gen #{options.generation} ready")
    end

    # Of a forked process that waits for a request.
    def standby(options)
      Process.setproctitle("kleinhirn: #{options.name} standby gen #{options.generation}")
    end

    # `state` is `starting` or `ready`.
    def worker(name, worker, state)
      Process.setproctitle("kleinhirn: #{name} #{worker.set}.#{worker.slot} #{state}")
    end
  end
end
