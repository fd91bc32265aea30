# frozen_string_literal: true

require "kleinhirn_loader/environment"
require "kleinhirn_loader/report"

module KleinhirnLoader
  # "This worker is ready to serve." The environment says whether there is anything to say, so it is said once.
  module Ack
    # Why the supervisor did not take the ack.
    class Refused < StandardError; end

    LOCK = Mutex.new

    module_function

    # See KleinhirnLoader.ack. When the supervisor can't be reached, the variables stay, so that a later call may succeed.
    def call
      LOCK.synchronize do
        return false unless possible?

        say
      end
      true
    rescue Refused, SystemCallError, IOError => e
      warn("kleinhirn_loader: no ack: #{e.message}")
      false
    end

    def possible?
      ENV.key?(Environment::WORKER_ID) && (ENV.key?(Environment::SOCKET) || ENV.key?(Environment::STATUS_FD))
    end

    # Raises what kept it from being said.
    def say
      worker = Worker.current
      line = Messages.ack(ENV.fetch(Environment::WORKER_ID))
      address = ENV[Environment::SOCKET]
      # A worker needs no answer, and is not held up by a busy supervisor: the kernel keeps its pid with the connection. A
      # descendant must stay until the supervisor has looked up whose descendant it is.
      refusal = address ? Report.deliver(address, line, !worker.this_process?) : write_to_status_fd(line)
      Environment.forget
      raise Refused, refusal if refusal

      worker.show("ready")
    end

    # For workers of the original, whose only way this was. Returns nil, or why nothing was written: the variable may have
    # come down to a process in which the number means another file, where no line of ours belongs.
    def write_to_status_fd(line)
      number = Integer(ENV.fetch(Environment::STATUS_FD), exception: false)
      return "#{Environment::STATUS_FD} is #{ENV.fetch(Environment::STATUS_FD).inspect}, not a number" unless number

      io = IO.for_fd(number, "w", autoclose: false)
      return "#{Environment::STATUS_FD} is #{number}, neither a pipe nor a socket" unless io.stat.pipe? || io.stat.socket?

      io.autoclose = true
      io.syswrite(line)
      io.close
      nil
    end
  end
end
