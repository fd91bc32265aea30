# frozen_string_literal: true

require "kleinhirn_loader/entropy"
require "kleinhirn_loader/error_report"
require "kleinhirn_loader/messages"

module KleinhirnLoader
  # Loads the application into this process and makes it ready to be shared.
  module Loader
    # What went wrong, in a sentence, with the exception as its cause.
    class Failed < StandardError; end

    module_function

    # What `-rbundler/setup` does, to the environment of what is started from here as well; but there is a connection by now
    # over which to say why it fails. Nothing was loaded before that a Gemfile could name: of what is not Ruby's core, only
    # the extension socket.so, which is no gem in any Ruby. Raises Failed.
    def prepare_bundle(gemfile)
      require "bundler/setup"
    rescue SignalException => e
      raise Failed, interrupted("Bundler's setup", e)
    rescue Exception => e # rubocop:disable Lint/RescueException -- a Gemfile is code
      # Where standard output is a terminal, Bundler prints its error to standard error and exits because of it.
      error = e.is_a?(SystemExit) && e.cause ? e.cause : e
      raise Failed, "Bundler can't set up #{name(gemfile)}: #{ErrorReport.summary(error)}"
    end

    # The real path, because Ruby tells files apart by path: through a link, what the application requires relative to the
    # file would be loaded a second time under another name. Raises Failed.
    def load(file)
      pid = Process.pid
      path = File.realpath(file)
      path.end_with?(".ru") ? load_rackup(path) : require(path)
      # Process.daemon, or the child's side of a fork that ran on.
      raise "#{name(file)} left its process: #{pid} loaded it, #{Process.pid} returned from it" if Process.pid != pid
    rescue SignalException => e
      raise Failed, interrupted("loading", e)
    rescue SystemExit => e
      raise Failed, "#{name(file)} called exit or abort (status #{e.status}) while it was loaded, at #{ErrorReport.place(e)}"
    rescue Exception => e # rubocop:disable Lint/RescueException -- SyntaxError, NoMemoryError, the application's own
      raise Failed, ErrorReport.summary(e)
    end

    def load_rackup(path)
      require "kleinhirn_loader/rack_app"
      RackApp.load(path)
    end

    def interrupted(what, signal)
      "#{what} was interrupted by SIG#{Signal.signame(signal.signo)}, at #{ErrorReport.place(signal)}"
    end

    # For messages.
    def name(file)
      Messages.utf8(file)
    end

    # Every page that the garbage collector writes to after the fork is a page that is no longer shared: what is garbage now
    # goes now, and what is left is old.
    #
    # OpenSSL's generator is used once here: what it allocates for its first use (some 4 MB) is shared then, and no worker
    # waits for it. Each worker still seeds it anew.
    def settle_heap
      Entropy.renew
      Process.respond_to?(:warmup) ? Process.warmup : GC.start
    end
  end
end
