# frozen_string_literal: true

require "fileutils"
require "monitor"
require "sqlite3"

module Shop
  # One process's connection to the SQLite file that all workers share.
  #
  # A connection must not be carried over a fork: SQLite's locks belong to the process that took them. So the
  # preloader closes its own before it forks (see Database.prepare), and each worker opens one after.
  class Database
    SCHEMA = <<~SQL
      CREATE TABLE IF NOT EXISTS articles (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL,
        symbol TEXT NOT NULL,
        cents INTEGER NOT NULL
      );
      CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY,
        article_id INTEGER NOT NULL REFERENCES articles (id),
        quantity INTEGER NOT NULL,
        customer TEXT NOT NULL,
        taken_by TEXT NOT NULL,
        ordered_at REAL NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'packing', 'packed')),
        packed_by TEXT,
        lease_until REAL
      );
      CREATE INDEX IF NOT EXISTS unpacked_orders ON orders (id) WHERE state <> 'packed';
    SQL

    # How long a statement waits for another process that is writing, before it raises SQLite3::BusyException.
    BUSY_TIMEOUT_MS = 5_000

    class << self
      def path
        ENV.fetch("SHOP_DATABASE") { File.join(ROOT, "data", "shop.sqlite3") }
      end

      # Makes the file, its tables and the articles, and leaves no connection open.
      def prepare
        FileUtils.mkdir_p(File.dirname(path))
        database = new(path)
        database.create_tables
        Catalogue.fill(database)
      ensure
        database&.close
      end

      # This process's connection, opened when it is first asked for.
      def current
        @current ||= new(path)
      end

      def disconnect
        @current&.close
        @current = nil
      end
    end

    def initialize(path)
      # Puma serves requests in several threads; one connection can only do one thing at a time.
      @monitor = Monitor.new
      @connection = SQLite3::Database.new(path, results_as_hash: true)
      @connection.busy_handler_timeout = BUSY_TIMEOUT_MS
      # With the write-ahead log, pages can be read while the packer writes.
      @connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")
    end

    def create_tables
      @monitor.synchronize { @connection.execute_batch(SCHEMA) }
    end

    # Rows as hashes with string keys.
    def query(sql, *values)
      @monitor.synchronize { @connection.execute(sql, values) }
    end

    # Takes the write lock at once: a transaction that began by reading can't wait for it later.
    def transaction(&block)
      @monitor.synchronize { @connection.transaction(:immediate, &block) }
    end

    def close
      @connection.close
    end
  end
end
