# frozen_string_literal: true

require_relative "marks"
Marks.write("loading")

require "erubi"
require "kramdown"
require "puma"
require "puma/server"
require "sequel"
require "sinatra/base"
require "sqlite3"

# A small web application with a heap of the size that real ones have (about 56 MB resident): the gems' code, and a
# catalogue kept in memory.
class Catalogue < Sinatra::Base
  ARTICLES = Array.new(42_000) do |id|
    {
      id: id,
      name: "Article #{id}",
      cents: (id * 7919) % 100_000,
      tags: ["colour-#{id % 97}", "maker-#{id % 89}"]
    }
  end

  PAGE = Erubi::Engine.new("<h1><%= article[:name] %></h1><p><%= article[:cents] %></p>", escape: true).src

  get "/articles/:id" do
    article = ARTICLES.fetch(Integer(params["id"])) { halt 404 }
    eval(PAGE, binding, "page", 1) # rubocop:disable Security/Eval -- the source is the constant above
  end

  # A worker's whole life: the block is the supervisor's own way to say "ready". The mark comes after it, so that what
  # an ack costs is counted for both.
  def self.work
    yield
    Marks.write("ack")
    sleep
  end
end

Marks.write("loaded")
