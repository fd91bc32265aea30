# frozen_string_literal: true

require "kleinhirn_loader/messages"

module KleinhirnLoader
  # An exception in words, always in UTF-8: Ruby refuses to join texts in different encodings.
  module ErrorReport
    OWN_FOLDER = "#{File.dirname(__FILE__)}/"

    module_function

    # `NoMethodError: undefined method ...`
    def summary(exception)
      # Bundler's messages begin with an empty line.
      "#{exception.class}: #{Messages.utf8(exception.message).strip}"
    rescue StandardError => e
      # An exception class of the application's may fail in its own `message`.
      "#{exception.class} (its message raised #{e.class})"
    end

    # Everything that Ruby itself would print: message, backtrace, causes.
    def text(exception)
      Messages.utf8(exception.full_message(highlight: false, order: :top))
    rescue StandardError
      [summary(exception), *exception.backtrace].map { |line| Messages.utf8(line) }.join("\n\tfrom ")
    end

    # Where the application was: the innermost frame that is not ours.
    def place(exception)
      lines = (exception.backtrace || []).map { |line| Messages.utf8(line) }
      lines.find { |line| !line.start_with?(OWN_FOLDER, "<internal:") } || lines.first || "an unknown place"
    end
  end
end
