# frozen_string_literal: true

module KleinhirnLoader
  # An exception in words.
  module ErrorReport
    OWN_FOLDER = "#{File.dirname(__FILE__)}/"

    module_function

    # `NoMethodError: undefined method ...`
    def summary(exception)
      "#{exception.class}: #{exception.message}"
    rescue StandardError => e
      # An exception class of the application's may fail in its own `message`.
      "#{exception.class} (its message raised #{e.class})"
    end

    # Everything that Ruby itself would print: message, backtrace, causes.
    def text(exception)
      exception.full_message(highlight: false, order: :top)
    rescue StandardError
      [summary(exception), *exception.backtrace].join("\n\tfrom ")
    end

    # Where the application was: the innermost frame that is not ours.
    def place(exception)
      lines = exception.backtrace || []
      lines.find { |line| !line.start_with?(OWN_FOLDER, "<internal:") } || lines.first || "an unknown place"
    end
  end
end
