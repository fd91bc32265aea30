# frozen_string_literal: true

module KleinhirnLoader
  # Bytes in, lines out. A line beyond the limit comes out as TOO_LONG, once, and takes up no memory.
  class LineBuffer
    TOO_LONG = :too_long

    def initialize(limit)
      @limit = limit
      @pending = String.new(encoding: Encoding::BINARY)
      @lines = []
      @skipping = false
    end

    def <<(bytes)
      *ended, rest = bytes.b.split("\n", -1)
      ended.each { |line| finish(line) }
      continue(rest) if rest
      self
    end

    # The next whole line as UTF-8 (which it may fail to be), without its newline; TOO_LONG; nil if there is none yet.
    def shift
      @lines.shift
    end

    def empty?
      @lines.empty?
    end

    # Lines that wait to be taken.
    def size
      @lines.size
    end

    private

    def continue(bytes)
      return if @skipping

      @pending << bytes
      return if @pending.bytesize < @limit

      @pending.clear
      @skipping = true
      @lines << TOO_LONG
    end

    def finish(bytes)
      continue(bytes)
      @lines << @pending.dup.force_encoding(Encoding::UTF_8) unless @skipping
      @pending.clear
      @skipping = false
    end
  end
end
