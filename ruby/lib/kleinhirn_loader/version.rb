# frozen_string_literal: true

module KleinhirnLoader
  # The version of the gem, which is that of the kleinhirn that it comes with.
  VERSION = "0.1.0"

  # The version of the protocol in docs/PROTOCOL.md that the preloader announces in its +hello+.
  PROTOCOL = 1
end
