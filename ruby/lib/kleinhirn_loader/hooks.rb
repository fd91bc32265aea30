# frozen_string_literal: true

module KleinhirnLoader
  # The blocks that the application registered, in their order.
  module Hooks
    @blocks = { before_fork: [], after_fork: [] }

    class << self
      def add(moment, block)
        raise ArgumentError, "KleinhirnLoader.#{moment} needs a block" unless block

        @blocks.fetch(moment) << block
        nil
      end

      # Lets every exception through: what it means differs between the preloader and a worker.
      def run(moment, *arguments)
        @blocks.fetch(moment).each { |block| block.call(*arguments) }
        nil
      end
    end
  end
end
