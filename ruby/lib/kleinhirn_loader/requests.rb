# frozen_string_literal: true

require "json"
require "kleinhirn_loader/line_buffer"
require "kleinhirn_loader/messages"
require "kleinhirn_loader/spawn_request"

module KleinhirnLoader
  # Makes requests of the supervisor's lines. What it can't make sense of costs a warning, never the preloader: a newer
  # supervisor may say more than we know.
  class Requests
    # Different things that are warned of, each once.
    MAX_WARNINGS = 32
    EXCERPT_BYTES = 200

    def initialize(channel)
      @channel = channel
      @warned = {}
    end

    # Returns a valid SpawnRequest or nil. What is wrong was then answered or logged.
    def read(line)
      message = parse(line)
      return unless message
      return warn_once("unknown op", op: message["op"].to_s) unless message["op"] == "spawn"
      return warn_once("spawn without an id, a string", line: excerpt(line)) unless message["id"].is_a?(String)

      (message.keys - SpawnRequest::KEYS - ["op"]).each { |key| warn_once("unknown key in spawn", key: key) }
      valid(SpawnRequest.from(message))
    end

    private

    def parse(line)
      return warn_once("line too long", limit_bytes: Messages::MAX_LINE_BYTES) if line == LineBuffer::TOO_LONG

      message = JSON.parse(line)
      message.is_a?(Hash) ? message : warn_once("not a JSON object", line: excerpt(line))
    rescue JSON::ParserError, EncodingError
      warn_once("not JSON", line: excerpt(line))
    end

    def valid(request)
      problem = request.problem
      return request unless problem

      @channel.send_line(Messages.failed(request.id, "the spawn request is wrong: #{problem}"))
      nil
    end

    def excerpt(line)
      Messages.shorten(line, EXCERPT_BYTES)
    end

    def warn_once(what, details)
      key = [what, details]
      return if @warned.key?(key) || @warned.size >= MAX_WARNINGS

      @warned[key] = true
      @channel.send_line(Messages.log("warning", "ignored from the supervisor: #{what}", details))
      nil
    end
  end
end
