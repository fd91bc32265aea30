# frozen_string_literal: true

require_relative "helper"

class WebTest < ShopTest
  include Rack::Test::Methods

  # The very application that kleinhirn loads.
  def app
    @app ||= Rack::Builder.parse_file(File.join(Shop::ROOT, "config.ru")).then { |result| Array(result).first }
  end

  def test_the_shop_shows_every_article_and_who_served_the_page
    get "/"

    assert_equal 200, last_response.status
    Shop::Catalogue.new.all.each { |article| assert_includes last_response.body, article.name }
    assert_includes last_response.body, "process <strong>#{Process.pid}</strong>"
  end

  def test_an_order_is_put_into_the_queue_and_shown
    post "/orders", article: "2", quantity: "3", customer: "Ada"

    assert_equal 303, last_response.status
    follow_redirect!

    assert_includes last_response.body, "3 × Cauliflower"
    assert_equal "waiting", orders.latest.first.state
  end

  def test_what_a_customer_writes_is_text_and_not_markup
    post "/orders", article: "1", quantity: "1", customer: "<script>alert(1)</script>"
    get "/orders"

    assert_includes last_response.body, "&lt;script&gt;"
    refute_includes last_response.body, "<script>"
  end

  def test_a_refused_order_says_why_and_keeps_what_was_written
    post "/orders", article: "1", quantity: "21", customer: "Ada"

    assert_equal 422, last_response.status
    assert_includes last_response.body, "between 1 and 20"
    assert_includes last_response.body, 'value="Ada"'
    assert_empty orders.latest
  end

  def test_the_orders_page_refreshes_itself_only_while_something_is_to_be_packed
    get "/orders"

    refute_includes last_response.body, "http-equiv"
    place
    get "/orders"

    assert_includes last_response.body, 'http-equiv="refresh"'
  end
end
