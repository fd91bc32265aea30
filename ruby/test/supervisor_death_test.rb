# frozen_string_literal: true

require_relative "test_helper"

# A supervisor that is killed takes everything with it.
class SupervisorDeathTest < ProcessTest
  def test_nothing_outlives_it
    Dir.mkdir(File.join(dir, "doomed"))
    script = File.expand_path("helpers/doomed_supervisor.rb", __dir__)
    output = IO.popen([RbConfig.ruby, script, File.join(dir, "doomed"), write_app("")])
    pids = JSON.parse(output.gets)
    assert_equal 3, pids.size
    assert(pids.all? { |pid| Processes.alive?(pid) })
    Process.kill(:KILL, output.pid)
    # They come to us, the next subreaper, to be reaped.
    statuses = pids.map do |pid|
      wait_until("#{pid} to be ours") { Processes.stat(pid)[:parent] == Process.pid }
      supervisor.reap(pid)
    end
    assert_equal [Signal.list["KILL"]] * 2, statuses.last(2).map(&:termsig)
  ensure
    output.close
  end
end
