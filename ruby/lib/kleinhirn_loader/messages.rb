# frozen_string_literal: true

module KleinhirnLoader
  # The lines of docs/PROTOCOL.md. Lines are written without the json library: the preloader speaks before the application
  # has had a chance to choose its version of it, and an ack must not load one into a program that has none.
  module Messages
    # The longest line that either side accepts, with its newline (specification section 5).
    MAX_LINE_BYTES = 64 * 1024
    MAX_MESSAGE_BYTES = 4 * 1024

    # What may not stand in a JSON string as it is (RFC 8259, section 7), and what some readers take for the end of a line.
    ESCAPED = /["\\\u0000-\u001f\u007f\u0085\u2028\u2029]/.freeze
    ESCAPES = Hash.new { |_, char| format('\\u%04x', char.ord) }
                  .merge('"' => '\\"', "\\" => "\\\\", "\n" => '\\n', "\r" => '\\r', "\t" => '\\t').freeze

    SYSTEM_ERROR = /\A(?:the fork failed: )?Errno::(E[A-Z0-9]+): /.freeze

    # Encodings that say little about what the bytes are.
    UNSURE = [Encoding::UTF_8, Encoding::BINARY, Encoding::US_ASCII].freeze

    module_function

    def hello
      encode(action: "hello", pid: Process.pid, protocol: PROTOCOL)
    end

    def loading(file)
      encode(action: "loading", file: file)
    end

    def ready
      encode(action: "ready")
    end

    def standby(pid)
      encode(action: "standby", pid: pid)
    end

    def launched(id, pid)
      encode(action: "launched", id: id, pid: pid)
    end

    # Names the operating system's error where it is one (`Errno::EAGAIN: ...`, as ErrorReport.summary has it): what the
    # machine lacks only for the moment is no fault of the application's, and the supervisor tells the two apart by it.
    def failed(id, message)
      fields = { action: "failed", id: id, message: shorten(message, MAX_MESSAGE_BYTES) }
      errno = utf8(message)[SYSTEM_ERROR, 1]
      encode(errno ? fields.merge(errno: errno) : fields)
    end

    def ack(id)
      encode(action: "ack", id: id)
    end

    # `fields` are flat: strings, numbers, true, false.
    def log(level, message, fields = {})
      short = fields.transform_values { |value| value.is_a?(String) ? shorten(value, MAX_MESSAGE_BYTES) : value }
      encode({ action: "log", level: level, msg: shorten(message, MAX_MESSAGE_BYTES) }.merge(short))
    end

    # `id` is the worker's when it is a worker that fails, nil for the preloader. Of a text that is too long for one line the
    # middle goes: the top of a backtrace says where it broke, the end what led there.
    def error(message, text, id = nil)
      fields = { action: "error", message: shorten(message, MAX_MESSAGE_BYTES) }
      fields[:id] = id if id
      bytes = MAX_LINE_BYTES
      loop do
        line = encode(fields.merge(error: shorten(text, bytes)))
        return line if line.bytesize <= MAX_LINE_BYTES || bytes.zero?

        bytes = bytes * 7 / 8
      end
    end

    def encode(fields)
      "{#{fields.map { |key, value| "#{quote(key)}:#{encode_value(value)}" }.join(',')}}\n"
    end

    def encode_value(value)
      case value
      when Integer, true, false then value.to_s
      else quote(value)
      end
    end

    def quote(text)
      "\"#{utf8(text).gsub(ESCAPED, ESCAPES)}\""
    end

    # Exception messages come in any encoding, and often in a wrong one. Without a locale, as in most containers, Ruby takes
    # paths and arguments for US-ASCII, whatever they are.
    def utf8(text)
      text = text.to_s
      return text.dup.force_encoding(Encoding::UTF_8).scrub if UNSURE.include?(text.encoding)

      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
    rescue EncodingError
      text.dup.force_encoding(Encoding::UTF_8).scrub
    end

    # `text` in about `bytes` bytes of UTF-8 at the most, the middle left out where it is longer.
    def shorten(text, bytes)
      text = utf8(text)
      return text if text.bytesize <= bytes

      half = bytes / 2
      missing = text.bytesize - (2 * half)
      head = text.byteslice(0, half).scrub("")
      tail = text.byteslice(text.bytesize - half, half).scrub("")
      "#{head}\n[... #{missing} bytes left out ...]\n#{tail}"
    end
  end
end
