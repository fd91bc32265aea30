# frozen_string_literal: true

require "kleinhirn_loader/clock"
require "kleinhirn_loader/messages"

module KleinhirnLoader
  # One line to the supervisor over a connection of its own, as a worker sends it.
  module Report
    # How long a supervisor that is busy may take to accept and to answer.
    SECONDS = 5
    MAX_ANSWER_BYTES = 4096

    module_function

    # Returns nil if the line was accepted, or without waiting for that; otherwise what the supervisor (or its silence)
    # said. Raises a SystemCallError if there is no way to reach it.
    def deliver(address, line, wait)
      require "kleinhirn_loader/connection"
      deadline = Clock.now + SECONDS
      connection = Connection.open(address, SECONDS)
      # A fresh connection's buffer holds more than the longest line, so this does not block.
      connection.write(line)
      wait ? refusal_in(read_answer(connection, deadline)) : nil
    ensure
      connection&.close
    end

    def read_answer(connection, deadline)
      answer = String.new
      until answer.include?("\n") || answer.bytesize > MAX_ANSWER_BYTES
        left = deadline - Clock.now
        return nil unless left.positive? && IO.select([connection], nil, nil, left)

        bytes = connection.read_nonblock(MAX_ANSWER_BYTES, exception: false)
        break if bytes.nil?

        answer << bytes unless bytes == :wait_readable
      end
      answer
    rescue Errno::ECONNRESET
      answer
    end

    def refusal_in(answer)
      return "no answer within #{SECONDS} s" if answer.nil?
      return nil if answer.match?(/"ok"\s*:\s*true/)

      answer.empty? ? "the connection was closed without an answer" : Messages.utf8(answer).strip
    end
  end
end
