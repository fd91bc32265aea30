# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/version"
require "kleinhirn_loader/messages"

class MessagesTest < Minitest::Test
  Messages = KleinhirnLoader::Messages

  def test_a_failure_names_the_error_of_the_operating_system
    assert_equal "EAGAIN", errno_of("Errno::EAGAIN: Resource temporarily unavailable - fork(2) at app.rb:1")
    assert_equal "ENOMEM", errno_of("the fork failed: Errno::ENOMEM: Cannot allocate memory - fork(2)")
    assert_nil errno_of("RuntimeError: Errno::EAGAIN: in the application's words")
    assert_nil errno_of("the fork was not done within 10 ms")
  end

  def test_what_is_encoded_is_json
    nasty = "#{(0..0x7f).map(&:chr).join}äß€😀\u2028\u2029"
    fields = { "text" => nasty, "quote\"d" => "\\", "number" => -12, "yes" => true, "no" => false }
    line = Messages.encode(fields)
    assert_equal fields, JSON.parse(line)
    assert_equal 1, line.count("\n")
    assert line.end_with?("}\n")
  end

  def test_random_bytes_in_any_encoding_make_valid_lines
    random = Random.new(7)
    encodings = [Encoding::UTF_8, Encoding::BINARY, Encoding::UTF_16LE, Encoding::Shift_JIS, Encoding::UTF_7]
    500.times do
      text = random.bytes(random.rand(40)).force_encoding(encodings.sample(random: random))
      line = Messages.encode(text: text)
      assert line.valid_encoding?
      assert_kind_of String, JSON.parse(line).fetch("text")
      assert_equal 1, line.count("\n")
    end
  end

  def test_text_in_another_encoding_is_converted
    assert_equal({ "text" => "Größe" }, JSON.parse(Messages.encode(text: "Größe".encode(Encoding::ISO_8859_1))))
  end

  def test_an_error_that_is_too_long_loses_its_middle
    text = "the top\n#{"a line of a backtrace\n" * 100_000}the end"
    line = Messages.error("m", text, "w1")
    assert_operator line.bytesize, :<=, Messages::MAX_LINE_BYTES
    assert_operator line.bytesize, :>, Messages::MAX_LINE_BYTES / 2
    error = JSON.parse(line).fetch("error")
    assert error.start_with?("the top\n")
    assert error.end_with?("the end")
    assert_match(/\d+ bytes left out/, error)
  end

  def test_an_error_fits_however_much_its_escapes_swell
    line = Messages.error("\0" * 100_000, "\u0001" * 100_000)
    assert_operator line.bytesize, :<=, Messages::MAX_LINE_BYTES
    JSON.parse(line)
  end

  def test_shortening_does_not_break_characters
    short = Messages.shorten("€" * 1000, 100)
    assert short.valid_encoding?
    assert_match(/\A€+\n\[\.\.\. \d+ bytes left out \.\.\.\]\n€+\z/, short)
  end

  def test_short_text_stays_as_it_is
    assert_equal "ä" * 50, Messages.shorten("ä" * 50, 100)
  end

  def test_the_lines_of_the_protocol
    assert_equal({ "action" => "hello", "pid" => Process.pid, "protocol" => 1 }, JSON.parse(Messages.hello))
    assert_equal({ "action" => "loading", "file" => "/a" }, JSON.parse(Messages.loading("/a")))
    assert_equal({ "action" => "ready" }, JSON.parse(Messages.ready))
    assert_equal({ "action" => "launched", "id" => "i", "pid" => 9 }, JSON.parse(Messages.launched("i", 9)))
    assert_equal({ "action" => "failed", "id" => "i", "message" => "m" }, JSON.parse(Messages.failed("i", "m")))
    assert_equal({ "action" => "ack", "id" => "i" }, JSON.parse(Messages.ack("i")))
    assert_equal({ "action" => "log", "level" => "info", "msg" => "m", "key" => "v", "n" => 1 },
                 JSON.parse(Messages.log("info", "m", key: "v", n: 1)))
    assert_equal({ "action" => "error", "message" => "m", "error" => "e" }, JSON.parse(Messages.error("m", "e")))
  end

  private

  def errno_of(message)
    JSON.parse(Messages.failed("w-1", message))["errno"]
  end
end
