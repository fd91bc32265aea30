# frozen_string_literal: true

require "kleinhirn_loader/version"
require "kleinhirn_loader/hooks"
require "kleinhirn_loader/worker"

# What an application may call. All of it is harmless outside kleinhirn: hooks are kept and never run, an ack is sent
# nowhere.
#
#   KleinhirnLoader.before_fork { Database.disconnect }
#   KleinhirnLoader.after_fork { |worker| Metrics.start("#{worker.set}.#{worker.slot}") }
#
#   KleinhirnLoader.ack # in the start expression, once the worker can serve
module KleinhirnLoader
  @rack_app = nil

  class << self
    # The Rack application, when +load+ in the worker set's configuration names a +config.ru+; +nil+ otherwise. Workers share
    # the one that the preloader made.
    attr_accessor :rack_app

    # Runs the +block+ in the preloader, before each fork, in order of registration: the place to disconnect what workers
    # must not share. An exception in it fails that one launch; the preloader lives on.
    #
    # Raises ArgumentError without a block. Returns +nil+.
    def before_fork(&block)
      Hooks.add(:before_fork, block)
    end

    # Runs the +block+ in each worker, before its start expression, in order of registration; it is given the
    # KleinhirnLoader::Worker. An exception in it ends the worker like one in the start expression: the backtrace is in
    # kleinhirn's log, the exit status is 1.
    #
    # Raises ArgumentError without a block. Returns +nil+.
    def after_fork(&block)
      Hooks.add(:after_fork, block)
    end

    # Says once that this worker is ready to serve, and removes kleinhirn's variables from +ENV+.
    #
    # Returns +true+ if this call said it and the supervisor didn't object; +false+ outside kleinhirn, when it was said
    # before, or when the supervisor refused or can't be reached (then a line on standard error says why). Raises nothing.
    # A process that is not the worker itself, but was started by it, waits for the supervisor's answer, five seconds at
    # the most.
    def ack
      Ack.call
    end

    # The Worker that this process is, or belongs to; +nil+ in the preloader and outside kleinhirn.
    def worker
      Worker.current
    end
  end
end
