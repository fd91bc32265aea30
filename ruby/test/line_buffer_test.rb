# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/line_buffer"

class LineBufferTest < Minitest::Test
  TOO_LONG = KleinhirnLoader::LineBuffer::TOO_LONG

  def lines(limit, *chunks)
    buffer = KleinhirnLoader::LineBuffer.new(limit)
    chunks.each { |chunk| buffer << chunk }
    taken = []
    taken << buffer.shift until buffer.empty?
    taken
  end

  def test_lines_come_out_whole_however_they_came_in
    text = "one\n\ntwo ä\nthree\nrest"
    (1..text.bytesize).each do |size|
      chunks = text.b.scan(/.{1,#{size}}/mn)
      assert_equal ["one", "", "two ä", "three"], lines(100, *chunks)
    end
  end

  def test_the_limit_counts_the_newline
    assert_equal ["abcd"], lines(5, "abcd\n")
    assert_equal [TOO_LONG], lines(5, "abcde\n")
  end

  def test_a_line_that_is_too_long_is_told_once_and_the_next_one_is_whole
    assert_equal [TOO_LONG, "ok"], lines(10, "x" * 8, "x" * 8, "x" * 8, "x\nok\n")
    assert_equal ["a", TOO_LONG, "b"], lines(10, "a\n#{'x' * 1000}\nb\n")
  end

  def test_a_line_without_end_takes_no_memory
    buffer = KleinhirnLoader::LineBuffer.new(10)
    1000.times { buffer << ("x" * 1000) }
    assert_equal 1, buffer.size
    assert_empty buffer.instance_variable_get(:@pending)
  end

  def test_bytes_that_are_no_utf8_do_not_raise
    assert_equal 1, lines(100, "\xff\xfe\n".b).size
  end
end
