# frozen_string_literal: true

require "kleinhirn_loader/version"
require "kleinhirn_loader/hooks"
require "kleinhirn_loader/worker"

# What an application may call. All of it is harmless outside kleinhirn: hooks are kept and never run, an ack is sent
# nowhere.
module KleinhirnLoader
  @rack_app = nil

  class << self
    # The Rack application, when `load` names a `config.ru`; nil otherwise. Workers share the one that the preloader made.
    attr_accessor :rack_app

    # Runs the block in the preloader, before each fork, in order of registration. An exception in it fails that one
    # launch; the preloader lives on.
    def before_fork(&block)
      Hooks.add(:before_fork, block)
    end

    # Runs the block in each worker, before its start expression, in order of registration; it is given the
    # KleinhirnLoader::Worker. An exception in it ends the worker like one in the start expression.
    def after_fork(&block)
      Hooks.add(:after_fork, block)
    end

    # Says once that this worker is ready to serve. True if this call said it and the supervisor didn't object; false
    # outside kleinhirn, when it was said before, or when the supervisor refused.
    def ack
      Ack.call
    end

    # The worker that this process is, or belongs to; nil in the preloader and outside kleinhirn.
    def worker
      Worker.current
    end
  end
end
