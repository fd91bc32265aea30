# frozen_string_literal: true

module KleinhirnLoader
  # Seconds of the clock that nobody sets.
  module Clock
    module_function

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
