# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/launch_queue"

# Requests that come together: one process in the middle forks several workers.
class GroupTest < ProcessTest
  # Counts forks; `misbehave` runs in the process between before its third, or in the third worker after it.
  HOOK = <<~RUBY
    require "json"
    $depth = 0
    $forks = 0
    module Hook
      def _fork
        third = $depth == 1 && ($forks += 1) == 3
        misbehave if third && WHERE == "between"
        pid = super
        ($depth += 1; $forks = 0) if pid.zero?
        misbehave if third && pid.zero? && WHERE == "worker"
        pid
      end
    end
    Process.singleton_class.prepend(Hook)
  RUBY
  HANG = "def misbehave() sleep end"
  HANG_FOR_GOOD = "def misbehave() begin; sleep; rescue Exception; retry; end end"
  RAISE = "def misbehave() raise('the hook is broken') end"

  # In one write, so that the preloader finds them together.
  def request_together(count, expression, **fields)
    lines = Array.new(count) do |slot|
      JSON.generate({ op: "spawn", id: "w#{slot}", set: "web", slot: slot, expression: expression }.merge(fields))
    end
    supervisor.write("#{lines.join("\n")}\n")
  end

  def answers(count)
    found = []
    while found.size < count
      message = supervisor.next_message
      supervisor.track(message["pid"]) if message["action"] == "launched"
      found << message if %w[launched failed].include?(message["action"])
    end
    found.partition { |message| message["action"] == "launched" }
  end

  # Lets four requests meet the hook; afterwards all is well.
  def launched_and_failed(where, how)
    skip "Ruby #{RUBY_VERSION} has no Process._fork" unless Process.respond_to?(:_fork)
    preload("WHERE = #{where.inspect}\n#{HOOK}#{how}")
    request_together(4, "tell(ENV['KLEINHIRN_WORKER_ID'], $$); sleep", timeout_ms: 1000)
    launched, failed = answers(4)
    launched.each { |message| assert_equal message["pid"], told(message["id"]) }
    failed.each { |message| refute told?(message["id"]) }
    launch("good", "sleep")
    [launched.size, failed.map { |message| message["message"] }]
  end

  def test_one_process_in_the_middle_forks_several
    preload("require 'kleinhirn_loader'; $groups = 0; KleinhirnLoader.before_fork { $groups += 1 }")
    request_together(16, "tell(ENV['KLEINHIRN_WORKER_ID'], $groups); sleep")
    launched, failed = answers(16)
    assert_empty failed
    launched.each { |message| assert_equal Process.pid, Processes.stat(message["pid"])[:parent] }
    groups = Array.new(16) { |slot| told("w#{slot}") }
    assert_operator groups.tally.values.max, :>, 1
    assert_operator groups.tally.values.max, :<=, KleinhirnLoader::LaunchQueue::MAX_GROUP
  end

  def test_siblings_hold_nothing_of_each_other
    preload
    # Nobody reads the answers, so that the workers have to wait at their gates.
    8.times { |n| supervisor.say(op: "spawn", id: "#{'x' * 60_000}#{n}", set: nil) }
    request_together(4, "sleep")
    # And the one that is forked ahead of need has to wait anyway.
    waiting = wait_until("five at their gates") do
      found = Processes.children.select { |pid| Processes.title(pid).include?(" standby ") }
      found if found.size == 5
    end
    held = waiting.map { |pid| Processes.descriptors(pid).values.grep(/\Apipe:/) }
    assert_equal [2] * 5, held.map(&:size)
    assert_equal 10, held.flatten.uniq.size
    assert_equal held.flatten.sort, Processes.descriptors(supervisor.preloader).values.grep(/\Apipe:/).sort
    4.times { |n| supervisor.expect("launched", id: "w#{n}") }
  end

  def test_a_hang_in_the_middle_costs_those_that_it_has_not_forked
    launched, messages = launched_and_failed("between", HANG)
    assert_equal [2, 2], [launched, messages.size]
    messages.each { |message| assert_match(/Rang: not done within 800 ms at .*app\.rb:\d+:in .*sleep/, message) }
  end

  def test_a_hang_in_the_middle_that_can_not_be_interrupted
    launched, messages = launched_and_failed("between", HANG_FOR_GOOD)
    assert_equal [2, 2], [launched, messages.size]
    messages.each { |message| assert_match(/not done within 1000 ms: .* hangs in the process between/, message) }
  end

  def test_a_hang_in_a_worker_costs_that_worker
    launched, messages = launched_and_failed("worker", HANG_FOR_GOOD)
    assert_equal [3, 1], [launched, messages.size]
    assert_match(/not done within 1000 ms: .* hangs in the worker/, messages.first)
  end

  def test_a_hook_that_raises_in_a_worker_costs_that_worker
    launched, messages = launched_and_failed("worker", RAISE)
    assert_equal [3, 1], [launched, messages.size]
    assert_match(/RuntimeError: the hook is broken at .*app\.rb:\d+/, messages.first)
  end

  def test_a_hook_that_raises_in_the_middle_costs_those_that_it_has_not_forked
    launched, messages = launched_and_failed("between", RAISE)
    assert_equal [2, 2], [launched, messages.size]
    messages.each { |message| assert_match(/RuntimeError: the hook is broken at .*app\.rb:\d+/, message) }
  end
end
