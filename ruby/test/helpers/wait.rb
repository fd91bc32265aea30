# frozen_string_literal: true

# Waiting for conditions. The limit is how long a busy machine may take before the test has failed, no time that passes.
module Wait
  LIMIT_SECONDS = 30
  POLL_SECONDS = 0.002

  class TooLong < StandardError; end

  module_function

  def wait_until(what)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + LIMIT_SECONDS
    loop do
      result = yield
      return result if result
      raise TooLong, "waited in vain for #{what}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep(POLL_SECONDS)
    end
  end
end
