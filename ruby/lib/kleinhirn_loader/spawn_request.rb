# frozen_string_literal: true

module KleinhirnLoader
  # The supervisor's `spawn` line.
  SpawnRequest = Struct.new(:id, :set, :slot, :expression, :timeout_ms, :open_files, :supervisor_pid, keyword_init: true)

  # Its reading: nothing about the types is taken for granted.
  class SpawnRequest
    KEYS = members.map(&:to_s).freeze

    # Shorter than the supervisor's own patience (`launch_timeout`, 30 s by default), so that the preloader, which knows what
    # hangs, speaks first.
    DEFAULT_TIMEOUT_MS = 24_000

    class << self
      # `message` is the parsed line. Returns a request, whose `problem` may say why it can't be carried out.
      def from(message)
        new(timeout_ms: DEFAULT_TIMEOUT_MS, **message.slice(*KEYS).transform_keys(&:to_sym))
      end

      # What `to_letter` made. Raises an ArgumentError if a part of it is missing.
      def from_letter(letter)
        new(**members.zip(Marshal.load(letter)).to_h) # rubocop:disable Security/MarshalLoad -- from our own preloader
      end
    end

    # Bytes for another process of this very program.
    def to_letter
      Marshal.dump(to_a)
    end

    # nil when all is well.
    def problem
      return "set must be a string, not #{set.inspect}" unless set.is_a?(String)
      return "slot must be a whole number from 0, not #{slot.inspect}" unless slot.is_a?(Integer) && slot >= 0
      return "expression must be a string, not #{expression.inspect}" unless expression.is_a?(String)

      wrong = %i[timeout_ms open_files supervisor_pid].find { |key| !absent_or_positive?(self[key]) }
      "#{wrong} must be a whole number above 0, not #{self[wrong].inspect}" if wrong
    end

    private

    def absent_or_positive?(value)
      value.nil? || (value.is_a?(Integer) && value.positive?)
    end
  end
end
