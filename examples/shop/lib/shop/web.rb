# frozen_string_literal: true

require "erubi"
require "sinatra/base"

module Shop
  # The pages. Every one says which worker made it.
  class Web < Sinatra::Base
    set :root, ROOT
    set :default_encoding, "utf-8"
    # Needs Erubi: Ruby's own ERB would let the option pass, and the customers' markup as well.
    set :erb, escape_html: true
    set :static_cache_control, [:public, { max_age: 300 }]
    # Puma is started by the supervisor or by hand, never by the file that is loaded.
    disable :run

    get "/" do
      show_shop
    end

    post "/orders" do
      Orders.new.place(article: params["article"], quantity: params["quantity"], customer: params["customer"],
                       taken_by: worker)
      redirect to("/orders"), 303
    rescue Orders::Refused => e
      status 422
      show_shop(e.message)
    end

    get "/orders" do
      orders = Orders.new
      @orders = orders.latest
      @counts = orders.counts
      # The page follows the packers until there is nothing left to pack.
      @refresh_seconds = 2 if @counts.values_at("waiting", "packing").sum.positive?
      erb :orders
    end

    # For scripts: who answers?
    get "/worker" do
      content_type "text/plain"
      "#{worker} #{Process.pid}\n"
    end

    private

    def show_shop(complaint = nil)
      @articles = Catalogue.new.all
      @complaint = complaint
      erb :shop
    end

    def worker
      Supervision.worker
    end
  end
end
