# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/channel"

class ChannelTest < Minitest::Test
  Channel = KleinhirnLoader::Channel

  def setup
    ours, @theirs = UNIXSocket.pair
    @channel = Channel.new(ours)
  end

  def teardown
    @channel.close
    @theirs.close
  end

  def test_a_line_is_written_in_pieces_and_its_block_runs_at_the_end_of_the_last
    written = []
    line = "#{'x' * 1_000_000}\n"
    @channel.send_line(line) { written << :long }
    @channel.send_line("short\n") { written << :short }
    @channel.flush
    assert_empty written
    assert @channel.unwritten?

    received = +""
    while received.bytesize < line.bytesize + 6
      received << @theirs.readpartial(100_000)
      @channel.flush
    end
    assert_equal "#{line}short\n", received
    assert_equal %i[long short], written
    refute @channel.unwritten?
  end

  def test_a_reader_that_does_not_read_is_not_waited_for_without_end
    @channel.send_line("#{'x' * 1_000_000}\n")
    refute @channel.flush_within(0.01)
  end

  def test_nothing_more_is_taken_in_while_too_much_waits_to_go_out
    @theirs.write("a line\n")
    @channel.fill
    assert @channel.line?
    @channel.send_line("#{'x' * Channel::MAX_UNWRITTEN_BYTES}\n")
    refute @channel.line?
    refute @channel.wants_input?
    assert_nil @channel.next_line
  end

  def test_the_end_of_the_connection
    @theirs.close
    assert_raises(Channel::Closed) { @channel.fill }
    @channel.send_line("x\n")
    assert_raises(Channel::Closed) { @channel.flush }
  end

  def test_lines_come_in
    @theirs.write("one\ntw")
    @channel.fill
    @theirs.write("o\n")
    @channel.fill
    assert_equal ["one", "two", nil], [@channel.next_line, @channel.next_line, @channel.next_line]
  end
end
