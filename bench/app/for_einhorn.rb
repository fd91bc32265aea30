# frozen_string_literal: true

require_relative "catalogue"

# What einhorn calls in each worker that it forks from the code loaded with -p.
def einhorn_main
  Catalogue.work { Einhorn::Worker.ack! }
end
