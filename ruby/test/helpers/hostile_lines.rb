# frozen_string_literal: true

require "json"

# Lines as no supervisor sends them, from a seed.
class HostileLines
  TEXTS = ["", "w1", "x" * 128, "two\nlines", "\u2028\u{1f600}", "a\"b\\c", "\e[31m", "null", "1; exit"].freeze
  VALUES = [nil, true, false, 0, -1, 1, 2.5, 1e300, 10**40, [], {}, [[1]], { "op" => "spawn" }, *TEXTS].freeze
  SPLINTERS = ["{", "}", "[", "]", '"', ":", ",", "\\", "\\u", "\\ud800", "NaN", "\0", "\r", "\xff", "\xed\xa0"].map(&:b)
  KEYS = %w[op id set slot expression timeout_ms open_files supervisor_pid].freeze
  OTHER_KEYS = ["__proto__", "json_class", "to_s", "", "pid"].freeze

  def initialize(seed)
    @random = Random.new(seed)
  end

  # In bytes, without its newline.
  def next
    case @random.rand(10)
    when 0..1 then JSON.generate(spawn).b
    when 2..4 then mutate(JSON.generate(spawn).b)
    when 5..7 then JSON.generate(message).b
    when 8 then @random.bytes(@random.rand(80)).delete("\n")
    else nested
    end
  end

  # Cut anywhere, also within a character.
  def cut(bytes)
    pieces = []
    until bytes.empty?
      size = 1 + @random.rand(@random.rand < 0.3 ? 4 : 3000)
      pieces << bytes.byteslice(0, size)
      bytes = bytes.byteslice(size..-1) || ""
    end
    pieces
  end

  def below(limit)
    @random.rand(limit)
  end

  private

  def spawn
    { "op" => "spawn", "id" => text, "set" => text, "slot" => @random.rand(100), "expression" => text }
  end

  # The right keys with any values, and others.
  def message
    keys = (KEYS + OTHER_KEYS).sample(@random.rand(8), random: @random)
    any = keys.to_h { |key| [key, VALUES.sample(random: @random)] }
    @random.rand < 0.7 ? any.merge("op" => "spawn", "id" => text) : any
  end

  def text
    TEXTS.sample(random: @random)
  end

  def mutate(bytes)
    (1 + @random.rand(4)).times do
      at = @random.rand(bytes.bytesize + 1)
      skipped = @random.rand(4)
      added = @random.rand < 0.5 ? SPLINTERS.sample(random: @random) : @random.bytes(@random.rand(3))
      bytes = bytes.byteslice(0, at) + added + (bytes.byteslice((at + skipped)..-1) || "".b)
    end
    bytes.delete("\n")
  end

  def nested
    depth = @random.rand < 0.05 ? 20_000 : 1 + @random.rand(200)
    deep = ("[" * depth) + (@random.rand < 0.8 ? "]" * depth : "")
    (@random.rand < 0.5 ? deep : "{\"op\":\"spawn\",\"id\":\"w1\",\"set\":#{deep}}").b
  end
end
