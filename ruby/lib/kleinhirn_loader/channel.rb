# frozen_string_literal: true

require "kleinhirn_loader/clock"
require "kleinhirn_loader/line_buffer"
require "kleinhirn_loader/messages"

module KleinhirnLoader
  # The preloader's control connection: lines in, lines out, never waiting unless it is asked to.
  class Channel
    # The supervisor is at the other end no longer.
    class Closed < StandardError; end

    READ_BYTES = 64 * 1024
    # Lines that wait to be handled, and bytes that wait to be written, beyond which no more is read: a supervisor that asks
    # and doesn't listen must not make us grow.
    MAX_WAITING_LINES = 4096
    MAX_UNWRITTEN_BYTES = 1024 * 1024

    def initialize(io)
      @io = io
      @incoming = LineBuffer.new(Messages::MAX_LINE_BYTES)
      @outgoing = []
      @unwritten_bytes = 0
    end

    def to_io
      @io
    end

    # Queues a line; the block runs when the kernel has taken all of it.
    def send_line(line, &written)
      @outgoing << [line.b, written]
      @unwritten_bytes += line.bytesize
    end

    def unwritten?
      !@outgoing.empty?
    end

    # Writes what can be written now.
    def flush
      while (line, written = @outgoing.first)
        count = @io.write_nonblock(line, exception: false)
        return if count == :wait_writable

        @unwritten_bytes -= count
        next @outgoing[0] = [line.byteslice(count..-1), written] if count < line.bytesize

        @outgoing.shift
        written&.call
      end
    rescue Errno::EPIPE, Errno::ECONNRESET
      raise Closed
    end

    # Writes everything; false if the supervisor didn't take it in that time.
    def flush_within(seconds)
      deadline = Clock.now + seconds
      loop do
        flush
        return true unless unwritten?

        left = deadline - Clock.now
        return false unless left.positive? && IO.select(nil, [@io], nil, left)
      end
    end

    def wants_input?
      @incoming.size < MAX_WAITING_LINES && @unwritten_bytes < MAX_UNWRITTEN_BYTES
    end

    # Reads what is there.
    def fill
      bytes = @io.read_nonblock(READ_BYTES, exception: false)
      raise Closed if bytes.nil?

      @incoming << bytes unless bytes == :wait_readable
    rescue Errno::ECONNRESET
      raise Closed
    end

    # Whether `next_line` has one.
    def line?
      @unwritten_bytes < MAX_UNWRITTEN_BYTES && !@incoming.empty?
    end

    # A String, LineBuffer::TOO_LONG, or nil.
    def next_line
      @incoming.shift if line?
    end

    # Also forgets what was not written: in a child it is the parent's to write.
    def close
      @outgoing.clear
      @io.close
    end
  end
end
