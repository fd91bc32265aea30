# frozen_string_literal: true

module Shop
  Order = Struct.new(
    :id, :article, :quantity, :customer, :taken_by, :ordered_at, :state, :packed_by, keyword_init: true
  )

  # The orders, which are the packers' queue as well.
  class Orders
    COLUMNS = <<~SQL
      orders.id, articles.name AS article, quantity, customer, taken_by, ordered_at, state, packed_by
    SQL

    # A packer that is killed while it packs never says so. Its order is free again when this time is over.
    LEASE_SECONDS = 30

    QUANTITIES = (1..20)
    NAME_LENGTHS = (1..60)

    # An order that can't be taken; the message is for the customer.
    class Refused < StandardError; end

    def initialize(database = Database.current)
      @database = database
    end

    # Puts an order into the queue and returns its number. The arguments are what the form sent: text, or nil.
    def place(article:, quantity:, customer:, taken_by:)
      chosen = Catalogue.new(@database).find(article.to_s) or raise Refused, "Please choose one of the articles."
      amount = Integer(quantity, 10, exception: false) if quantity.is_a?(String)
      raise Refused, "Please order between 1 and 20 pieces." unless QUANTITIES.cover?(amount)

      name = customer.to_s.scrub.strip
      raise Refused, "Please tell us your name, in 60 letters at the most." unless NAME_LENGTHS.cover?(name.length)

      insert(chosen.id, amount, name, taken_by)
    end

    # Takes the oldest order that nobody is packing; nil when there is none. One statement, so that two packers
    # can't take the same.
    def take(packer:, now: Time.now.to_f)
      row = @database.query(<<~SQL, packer, now + LEASE_SECONDS, now).first
        UPDATE orders SET state = 'packing', packed_by = ?, lease_until = ?
        WHERE id = (
          SELECT id FROM orders
          WHERE state = 'waiting' OR (state = 'packing' AND lease_until < ?)
          ORDER BY id LIMIT 1
        )
        RETURNING id
      SQL
      row && find(row["id"])
    end

    # False when the lease ran out meanwhile and another packer has taken the order.
    def finish(id, packer:)
      @database.query(<<~SQL, id, packer).any?
        UPDATE orders SET state = 'packed', lease_until = NULL
        WHERE id = ? AND state = 'packing' AND packed_by = ?
        RETURNING id
      SQL
    end

    def find(id)
      select("WHERE orders.id = ?", id).first
    end

    # The newest first.
    def latest(limit = 12)
      select("ORDER BY orders.id DESC LIMIT ?", limit)
    end

    # { "waiting" => 2, "packing" => 1, "packed" => 40 }
    def counts
      found = @database.query("SELECT state, count(*) AS orders FROM orders GROUP BY state")
      { "waiting" => 0, "packing" => 0, "packed" => 0 }.merge(found.to_h { |row| [row["state"], row["orders"]] })
    end

    private

    def insert(article_id, quantity, customer, taken_by)
      @database.query(<<~SQL, article_id, quantity, customer, taken_by, Time.now.to_f).first["id"]
        INSERT INTO orders (article_id, quantity, customer, taken_by, ordered_at) VALUES (?, ?, ?, ?, ?) RETURNING id
      SQL
    end

    def select(rest, *values)
      rows = @database.query("SELECT #{COLUMNS} FROM orders JOIN articles ON articles.id = article_id #{rest}", *values)
      rows.map { |row| Order.new(**row.transform_keys(&:to_sym)) }
    end
  end
end
