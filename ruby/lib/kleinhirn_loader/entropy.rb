# frozen_string_literal: true

module KleinhirnLoader
  # Forked copies of one process hold the same random generators in the same state: two workers would draw the same
  # session ids. Generators that the application made itself (`Random.new`) are beyond our reach.
  module Entropy
    OPENSSL_SEED_BYTES = 48

    module_function

    # Seeds Ruby's default generator and, if it is loaded, OpenSSL's, from the kernel.
    def renew
      Random.srand(Random.new_seed)
      return unless defined?(::OpenSSL::Random)

      ::OpenSSL::Random.seed(Random.urandom(OPENSSL_SEED_BYTES))
    end
  end
end
