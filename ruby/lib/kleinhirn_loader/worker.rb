# frozen_string_literal: true

# This file alone is enough to ack; it loads no library, so that any program can afford it.
require "kleinhirn_loader/version"
require "kleinhirn_loader/ack"
require "kleinhirn_loader/titles"

module KleinhirnLoader
  # The worker that this process is, or belongs to: what a worker has forked or executed.
  #
  # To require <tt>kleinhirn_loader/worker</tt> alone is enough to ack, also in a Ruby program that was not preloaded.
  class Worker
    # +pid+ is only known to what was forked from the preloader.
    Identity = Struct.new(:id, :set, :slot, :name, :pid) # :nodoc:

    class << self
      # The Worker that this process is, or belongs to; +nil+ outside kleinhirn.
      def current
        new if identity
      end

      # Read once: the ack removes the variables.
      def identity # :nodoc:
        @identity ||= (read_identity if ENV[Environment::WORKER_ID])
      end

      # For the preloader's child, when ENV has become the worker's.
      def become_current # :nodoc:
        @identity = read_identity(Process.pid)
        current
      end

      private

      def read_identity(pid = nil)
        slot = Integer(ENV[Environment::WORKER_SLOT] || "", exception: false)
        Identity.new(ENV[Environment::WORKER_ID], ENV[Environment::SET], slot, ENV[Environment::NAME], pid)
      end
    end

    # As the environment, or the preloader, tells; outside kleinhirn one that is of no set, and has no slot and no id.
    def initialize
      @identity = Worker.identity || Identity.new
    end

    # The unique id, a String; +nil+ outside kleinhirn.
    def id
      @identity.id
    end

    # The worker set's name, a String; +nil+ outside kleinhirn.
    def set
      @identity.set
    end

    # The worker's number in its set, an Integer from 0 that its replacements have as well; +nil+ outside kleinhirn.
    def slot
      @identity.slot
    end

    # The original's name for KleinhirnLoader.ack, which see.
    def done
      Ack.call
    end

    # False in a descendant of the worker. A worker that was executed, not forked from the preloader, is told from its
    # descendants by leading its session: the supervisor saw to that.
    def this_process? # :nodoc:
      (@identity.pid || Process.getsid) == Process.pid
    end

    # The title of a program that was executed is its user's command line, and stays.
    def show(state) # :nodoc:
      Titles.worker(@identity.name, self, state) if @identity.pid == Process.pid
    end
  end
end
