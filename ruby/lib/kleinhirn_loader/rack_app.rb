# frozen_string_literal: true

require "kleinhirn_loader"

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
      raise LoadError, "#{path} can't be loaded without the gem rack: name it in the Gemfile, or install it " \
                       "(#{e.message})"
    end
  end
end
