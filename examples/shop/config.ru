# frozen_string_literal: true

# What kleinhirn's preloader loads once; everything that is required here is shared by all workers.
# `bundle exec puma` understands it just as well.

require_relative "lib/shop"

Shop::Supervision.prepare
Shop::Database.prepare

run Shop::Web
