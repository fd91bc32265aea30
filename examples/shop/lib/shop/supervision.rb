# frozen_string_literal: true

begin
  # Under kleinhirn this is on the load path without an entry in the Gemfile.
  require "kleinhirn_loader"
rescue LoadError
  # Started by hand: nobody supervises, nobody waits for an acknowledgement.
end

module Shop
  # All that the shop has to do with kleinhirn.
  module Supervision
    @worker = "by hand"

    class << self
      # `web.0`: the set and the slot that this process fills.
      attr_reader :worker

      # In the preloader, before anything is forked.
      def prepare
        return unless defined?(KleinhirnLoader)

        KleinhirnLoader.before_fork { Database.disconnect }
        KleinhirnLoader.after_fork do |worker|
          @worker = "#{worker.set}.#{worker.slot}"
          Database.current
        end
      end

      # In a worker, when it can really serve.
      def ready
        KleinhirnLoader.ack if defined?(KleinhirnLoader)
      end
    end
  end
end
