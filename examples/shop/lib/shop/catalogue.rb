# frozen_string_literal: true

module Shop
  Article = Struct.new(:id, :name, :description, :symbol, :cents, keyword_init: true) do
    def price
      format("%<euros>d.%<cents>02d €", euros: cents / 100, cents: cents % 100)
    end
  end

  # What the shop has on its shelves.
  class Catalogue
    ARTICLES = [
      ["Walnuts, one pound", "Two halves, well folded, in a hard case.", "🧠", 690],
      ["Cauliflower", "One head. Branches all the way down.", "🥦", 280],
      ["Knitted cerebellum", "Merino wool, life size, keeps its balance.", "🧶", 3450],
      ["Brain coral, a print", "Ink on laid paper, 30 by 40 centimetres.", "🪸", 1900]
    ].freeze

    def self.fill(database)
      ARTICLES.each do |article|
        database.query(<<~SQL, *article)
          INSERT OR IGNORE INTO articles (name, description, symbol, cents) VALUES (?, ?, ?, ?)
        SQL
      end
    end

    def initialize(database = Database.current)
      @database = database
    end

    def all
      @database.query("SELECT * FROM articles ORDER BY id").map { |row| article(row) }
    end

    # nil when there is none of that number.
    def find(id)
      @database.query("SELECT * FROM articles WHERE id = ?", id).map { |row| article(row) }.first
    end

    private

    def article(row)
      Article.new(**row.transform_keys(&:to_sym))
    end
  end
end
