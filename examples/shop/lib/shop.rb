# frozen_string_literal: true

# A container often has no locale, and Ruby then takes every file that it reads for ASCII.
Encoding.default_external = Encoding::UTF_8

# A small shop: a page that takes orders, and a packer that works them off.
module Shop
  ROOT = File.expand_path("..", __dir__)
end

require_relative "shop/database"
require_relative "shop/catalogue"
require_relative "shop/orders"
require_relative "shop/supervision"
require_relative "shop/web"
require_relative "shop/web_server"
require_relative "shop/packer"
