# frozen_string_literal: true

require_relative "test_helper"
require_relative "helpers/hostile_lines"
require "kleinhirn_loader/channel"
require "kleinhirn_loader/requests"

# The supervisor's side gone mad: whatever comes over the control connection costs a warning at the most. KLEINHIRN_FUZZ_SEED
# brings the same lines again, KLEINHIRN_DEEP many more.
module Fuzzing
  DEEP = ENV["KLEINHIRN_DEEP"] == "1"
  SEED = Integer(ENV["KLEINHIRN_FUZZ_SEED"] || (Random.new_seed % (2**32)))

  def hostile
    @hostile ||= HostileLines.new(SEED)
  end

  def announce
    puts "fuzz seed #{SEED}; the same input again: KLEINHIRN_FUZZ_SEED=#{SEED}, and -n #{name}"
  end
end

class RequestFuzzTest < Minitest::Test
  include Fuzzing

  LineBuffer = KleinhirnLoader::LineBuffer
  Requests = KleinhirnLoader::Requests
  Messages = KleinhirnLoader::Messages

  # In place of a Channel: what was said.
  class Listener
    attr_reader :lines

    def initialize
      @lines = []
    end

    def send_line(line)
      @lines << line
    end
  end

  def setup
    announce
  end

  def taken(buffer)
    lines = []
    lines << buffer.shift until buffer.empty?
    lines
  end

  def test_lines_come_out_as_they_went_in_wherever_they_are_cut
    streams = DEEP ? 20_000 : 1000
    streams.times do
      lines = Array.new(hostile.below(40)) { hostile.next }
      lines << ("x" * (Messages::MAX_LINE_BYTES + hostile.below(2000))).b << "after it" if hostile.below(20).zero?
      buffer = LineBuffer.new(Messages::MAX_LINE_BYTES)
      hostile.cut(lines.map { |line| "#{line}\n" }.join.b).each { |piece| buffer << piece }
      expected = lines.map { |line| line.bytesize < Messages::MAX_LINE_BYTES ? line : LineBuffer::TOO_LONG }
      assert_equal(expected, taken(buffer).map { |line| line.is_a?(String) ? line.b : line })
    end
  end

  def test_whatever_a_line_says_it_is_a_request_or_a_warning_and_never_an_exception
    count = DEEP ? 1_000_000 : 50_000
    requests = listener = nil
    accepted = 0
    count.times do |index|
      # The same things are warned of once, so a new one begins now and then.
      requests = Requests.new(listener = Listener.new) if (index % 500).zero?
      line = hostile.next.force_encoding(Encoding::UTF_8)
      request = requests.read(line)
      accepted += 1 if request
      assert_nil request&.problem, line.inspect
    ensure
      check(listener.lines)
    end
    assert_includes 0.1..0.6, accepted.fdiv(count)
  end

  # Every line said is one of the protocol's: one JSON object, not too long.
  def check(lines)
    lines.each do |line|
      assert_operator line.bytesize, :<=, Messages::MAX_LINE_BYTES
      assert_equal line.bytesize - 1, line.b.index("\n")
      assert_includes %w[log failed], JSON.parse(line).fetch("action")
    end
    lines.clear
  end
end

# The same to a real preloader: it goes on, and forks when it is asked properly.
class PreloaderFuzzTest < ProcessTest
  include Fuzzing

  # Of lines that a worker could come of there are none here: they would be launched.
  def harmless
    line = hostile.next
    line = hostile.next while line.include?("spawn")
    line
  end

  def resident_kilobytes
    File.read("/proc/#{supervisor.preloader}/status")[/^VmRSS:\s+(\d+)/, 1].to_i
  end

  def test_garbage_and_a_line_without_end_leave_the_preloader_as_it_was
    announce
    preload
    before = resident_kilobytes
    chunk = "x" * 1_048_576
    (DEEP ? 1024 : 64).times { supervisor.write(chunk) }
    (DEEP ? 200_000 : 5000).times { supervisor.write("\n#{harmless}") }
    supervisor.write("\n")
    pid = launch("w1", "tell('ran', $$); sleep")
    assert_equal pid, told("ran")
    assert_operator resident_kilobytes - before, :<, 64 * 1024
    warnings = supervisor.seen.select { |message| message["action"] == "log" }
    assert_includes warnings.map { |message| message["msg"] }, "ignored from the supervisor: line too long"
    assert_operator warnings.size, :<=, KleinhirnLoader::Requests::MAX_WARNINGS
  end

  # Each is a whole number above 0, as the protocol asks; not one of them is a time or a number that the kernel knows.
  ODD_NUMBERS = [1, 2**31, 2**32, 2**53, 2**63, 2**64, 10**30, 10**300, 10**400].freeze

  def test_every_timeout_is_answered_and_the_preloader_goes_on
    preload
    ODD_NUMBERS.each_with_index do |number, index|
      supervisor.request("odd#{index}", "sleep", timeout_ms: number)
      answer = supervisor.next_message
      supervisor.track(answer["pid"]) if answer["action"] == "launched"
      assert_includes %w[launched failed], answer["action"], answer.inspect
      assert_equal "odd#{index}", answer["id"]
    end
    launch("w1", "tell('ran', true); sleep")
    assert told("ran")
  end

  def test_no_limit_of_descriptors_is_above_the_hard_one
    preload
    ODD_NUMBERS.each_with_index do |number, index|
      launch("w#{index}", "tell('limit#{index}', Process.getrlimit(:NOFILE)); sleep", open_files: [number, 64].max)
      soft, hard = told("limit#{index}")
      assert_equal Process.getrlimit(:NOFILE).last, hard
      assert_equal number.clamp(64, hard), soft
    end
  end
end
