# frozen_string_literal: true

require "kleinhirn_loader/alarm"

module KleinhirnLoader
  # Forks, and does something in the child before any fork hook of the application's can run there: a process that hangs in
  # such a hook must know already whom it is to die with.
  #
  # Hooks wrap Process._fork (Ruby 3.1 and later). Who is prepended first is the innermost, and the first to return in the
  # child; so this file is required before the application is. In an older Ruby the block is called when Process.fork has
  # returned.
  module ForkGuard
    @first = nil

    class << self
      # As Process.fork without a block; this block is for the child. Raises EAGAIN when an Alarm rang in the fork itself:
      # alone it never takes so long, but Ruby tries again within it, and before version 3.1 does not say why.
      def fork(&first)
        @first = first
        pid = Process.fork
        in_child unless pid
        pid
      rescue Alarm::Rang => e
        raise Errno::EAGAIN, "fork(2)" if e.interrupted_call_from?(__FILE__)

        raise
      ensure
        @first = nil
      end

      def in_child
        first = @first
        @first = nil
        first&.call
      end
    end

    def _fork
      pid = super
      ForkGuard.in_child if pid.zero?
      pid
    end
  end
end

Process.singleton_class.prepend(KleinhirnLoader::ForkGuard) if Process.respond_to?(:_fork)
