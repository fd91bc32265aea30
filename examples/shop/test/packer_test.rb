# frozen_string_literal: true

require_relative "helper"

# The packer in a process of its own, as under the supervisor, and stopped by its signal.
class PackerTest < ShopTest
  def teardown
    if @packer
      Process.kill(:KILL, @packer)
      Process.wait(@packer)
    end
    super
  end

  def test_it_packs_what_is_ordered_and_ends_with_status_0_when_asked
    start_packer { |_order| nil }
    ids = [place, place]
    wait_until("both orders are packed") { orders.counts["packed"] == 2 }

    assert_equal(["by hand #{@packer}"], ids.map { |id| orders.find(id).packed_by }.uniq)
    Process.kill(:TERM, @packer)

    assert_predicate wait_for_packer, :success?
  end

  def test_asked_to_stop_it_finishes_the_order_in_hand_and_takes_no_other
    hands, gate = IO.pipe
    start_packer { |_order| hands.read(1) }
    2.times { place }
    wait_until("it packs the first order") { orders.counts["packing"] == 1 }
    Process.kill(:TERM, @packer)
    gate.write("go")

    assert_predicate wait_for_packer, :success?
    assert_equal({ "waiting" => 1, "packing" => 0, "packed" => 1 }, orders.counts)
  end

  private

  def start_packer(&packing)
    # A connection must not be carried over a fork.
    Shop::Database.disconnect
    @packer = fork do
      # Without this, minitest would run all tests once more when this process ends.
      at_exit { exit! }
      Shop::Packer.new(&packing).run
      exit!(0)
    end
  end

  def wait_for_packer
    Process.wait2(@packer).last.tap { @packer = nil }
  end

  def wait_until(what, seconds = 20)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until yield
      flunk "waited #{seconds} s until #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      sleep 0.01
    end
  end
end
