# frozen_string_literal: true

require_relative "helper"

class OrdersTest < ShopTest
  def test_orders_are_taken_in_the_order_in_which_they_were_placed
    first = place
    second = place

    assert_equal [first, second, nil], Array.new(3) { orders.take(packer: "jobs.0 1")&.id }
  end

  def test_a_packed_order_says_who_packed_it
    id = place
    orders.take(packer: "jobs.0 1")

    assert orders.finish(id, packer: "jobs.0 1")
    assert_equal ["packed", "jobs.0 1"], [orders.find(id).state, orders.find(id).packed_by]
    assert_equal({ "waiting" => 0, "packing" => 0, "packed" => 1 }, orders.counts)
  end

  def test_the_order_of_a_packer_that_died_is_free_again_when_its_lease_is_over
    id = place
    taken_at = 1_000.0
    orders.take(packer: "jobs.0 1", now: taken_at)

    assert_nil orders.take(packer: "jobs.0 2", now: taken_at + Shop::Orders::LEASE_SECONDS)
    assert_equal id, orders.take(packer: "jobs.0 2", now: taken_at + Shop::Orders::LEASE_SECONDS + 1).id
    refute orders.finish(id, packer: "jobs.0 1"), "the first packer has lost the order"
    assert orders.finish(id, packer: "jobs.0 2")
  end

  def test_bad_orders_are_refused_each_with_its_reason
    {
      { article: "99" } => /articles/, { article: nil } => /articles/, { quantity: "0" } => /pieces/,
      { quantity: "two" } => /pieces/, { quantity: nil } => /pieces/, { quantity: ["1"] } => /pieces/,
      { customer: "  " } => /name/, { customer: nil } => /name/, { customer: "x" * 61 } => /name/
    }.each do |mistake, reason|
      good = { article: "1", quantity: "1", customer: "Ada", taken_by: "web.0" }
      error = assert_raises(Shop::Orders::Refused, mistake.inspect) { orders.place(**good, **mistake) }

      assert_match reason, error.message
    end
  end
end
