# frozen_string_literal: true

module KleinhirnLoader
  # What the preloader, and a worker that has not begun yet, end with.
  module ExitStatus
    ENDED = 0
    FAILED = 1
    # sysexits.h
    USAGE = 64

    module_function

    # As shells report it.
    def of_signal(exception)
      128 + exception.signo
    end
  end
end
