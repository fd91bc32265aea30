# frozen_string_literal: true

module KleinhirnLoader
  # The variables by which a worker knows who it is (specification section 5) and which sockets it inherited (section 7).
  module Environment
    SOCKET = "KLEINHIRN_SOCKET"
    STATUS_FD = "KLEINHIRN_STATUS_FD"
    WORKER_ID = "KLEINHIRN_WORKER_ID"
    WORKER_SLOT = "KLEINHIRN_WORKER_SLOT"
    SET = "KLEINHIRN_SET"
    NAME = "KLEINHIRN_NAME"
    SUPERVISOR_VERSION = "KLEINHIRN_VERSION"
    ALL = [SOCKET, STATUS_FD, WORKER_ID, WORKER_SLOT, SET, NAME, SUPERVISOR_VERSION].freeze

    # sd_listen_fds(3) counts from this descriptor unless it is told otherwise.
    USUAL_FIRST_FD = 3

    module_function

    # Makes ENV that of one worker. `options` are the preloader's (see Options), `spawn` is the supervisor's request.
    def assume(options, spawn)
      ENV.update(SOCKET => options.socket, WORKER_ID => spawn.id, WORKER_SLOT => spawn.slot.to_s, SET => spawn.set,
                 NAME => options.name, SUPERVISOR_VERSION => options.version)
      ENV.delete(STATUS_FD)
      announce_sockets(options) if options.listen_fds
    end

    # Whoever looks at these variables takes a LISTEN_PID other than its own for someone else's sockets, so they can only
    # be set once the worker has its pid.
    def announce_sockets(options)
      ENV["LISTEN_PID"] = Process.pid.to_s
      ENV["LISTEN_FDS"] = options.listen_fds.to_s
      ENV["LISTEN_FDNAMES"] = options.listen_names if options.listen_names
      first = options.listen_first_fd
      ENV["LISTEN_FDS_FIRST_FD"] = first.to_s if first && first != USUAL_FIRST_FD
    end

    # What this process starts from now on must not take itself for the worker.
    def forget
      ALL.each { |name| ENV.delete(name) }
    end
  end
end
