# frozen_string_literal: true

# The bare extension: socket.rb would also bring the gem io-wait, of which the application may yet choose a version.
require "socket.so"
require "kleinhirn_loader/clock"

module KleinhirnLoader
  # A stream connection to the supervisor's socket.
  module Connection
    # A listener whose backlog is full, as when many workers ack at once, refuses with EAGAIN (unix(7)), and that passes.
    RETRY_SECONDS = 0.01

    module_function

    # `address` is a path, or `@name` for the abstract namespace. Raises a SystemCallError; EAGAIN or ENOTCONN if the backlog
    # was full for all of `seconds`.
    def open(address, seconds)
      deadline = Clock.now + seconds
      begin
        connect(address)
      rescue Errno::EAGAIN, Errno::ENOTCONN
        raise if Clock.now >= deadline

        sleep(RETRY_SECONDS)
        retry
      end
    end

    # Since Ruby 3.0, UNIXSocket.new takes EAGAIN for a connection on its way and returns a socket that is none; such a
    # socket has no peer.
    def connect(address)
      socket = UNIXSocket.new(address.sub(/\A@/, "\0"))
      socket.getpeername
      socket
    rescue Errno::ENOTCONN
      socket.close
      raise
    end
  end
end
