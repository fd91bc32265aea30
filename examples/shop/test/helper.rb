# frozen_string_literal: true

require "fileutils"
require "minitest/autorun"
require "rack/test"
require "tmpdir"

folder = Dir.mktmpdir("shop-test-")
Minitest.after_run { FileUtils.remove_entry(folder) }
ENV["SHOP_DATABASE"] = File.join(folder, "shop.sqlite3")
ENV["APP_ENV"] = "test"

require_relative "../lib/shop"

# An empty shop for each test.
class ShopTest < Minitest::Test
  def setup
    Shop::Database.disconnect
    Dir["#{Shop::Database.path}*"].each { |file| File.delete(file) }
    Shop::Database.prepare
  end

  def teardown
    Shop::Database.disconnect
  end

  def orders
    @orders ||= Shop::Orders.new
  end

  def place(customer: "Ada")
    orders.place(article: "1", quantity: "2", customer: customer, taken_by: "web.0")
  end
end
