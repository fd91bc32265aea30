# frozen_string_literal: true

module KleinhirnLoader
  VERSION = "0.1.0"

  # The version of the protocol in docs/PROTOCOL.md that the preloader announces in its `hello`.
  PROTOCOL = 1
end
