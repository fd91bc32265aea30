# frozen_string_literal: true

require "kleinhirn_loader"
require "kleinhirn_loader/messages"

module KleinhirnLoader
  # Makes KleinhirnLoader.rack_app of a config.ru.
  module RackApp
    module_function

    def load(path)
      require_rack(path)
      built = ::Rack::Builder.parse_file(path)
      # Rack 2 gives the application and the options of the file's `#\` line, Rack 3 the application.
      KleinhirnLoader.rack_app = built.is_a?(Array) ? built.first : built
    end

    def require_rack(path)
      require "rack"
      require "rack/builder"
    rescue LoadError => e
      raise LoadError, "#{Messages.utf8(path)} can't be loaded without the gem rack: name it in the Gemfile, " \
                       "or install it (#{Messages.utf8(e.message)})"
    end
  end
end
