# frozen_string_literal: true

require_relative "test_helper"

# `Process._fork` is where libraries hook into forks; theirs may hang or raise in any of the three processes.
class ForkHookTest < ProcessTest
  # Runs `misbehave` at a chosen place as long as a file is there. A process knows how many forks it is from the preloader.
  HOOK = <<~RUBY
    $depth = 0
    module Hook
      def _fork
        misbehave if at?("before fork " + ($depth + 1).to_s)
        pid = super
        $depth += 1 if pid.zero?
        misbehave if pid.zero? && at?("after fork " + $depth.to_s)
        misbehave if !pid.zero? && at?("beside fork " + ($depth + 1).to_s)
        pid
      end

      def at?(place)
        path = File.join(%<dir>s, "place")
        File.exist?(path) && File.readlines(path, chomp: true).include?(place)
      end
    end
    Process.singleton_class.prepend(Hook)
  RUBY
  HANG = "def misbehave() sleep end\n"
  HANG_FOR_GOOD = <<~RUBY
    require "json"
    def misbehave
      tell("hanging", $$)
      begin
        sleep
      rescue Exception
        retry
      end
    end
  RUBY
  RAISE = "def misbehave() raise('the hook is broken') end\n"

  def setup
    super
    skip "Ruby #{RUBY_VERSION} has no Process._fork" unless Process.respond_to?(:_fork)
  end

  def preload_misbehaving(how)
    preload(format(HOOK, dir: dir.inspect) + how)
  end

  # Lets one launch meet the hook at that place, and returns why it failed. The next one must go well.
  def failure_at(place, **fields)
    write("place", place)
    supervisor.request("bad", "tell('ran', true)", **fields)
    message = supervisor.expect("failed", id: "bad")["message"]
    File.delete(File.join(dir, "place"))
    launch("good", "sleep", slot: 1)
    refute told?("ran")
    message
  end

  def test_a_hook_that_hangs_in_the_preloader
    preload_misbehaving(HANG)
    assert_match(/Rang: not done within 800 ms at .*app\.rb:\d+:in .*sleep/, failure_at("before fork 1", timeout_ms: 1000))
  end

  def test_a_hook_that_hangs_in_the_process_between
    preload_misbehaving(HANG)
    assert_match(/Rang: not done within 800 ms at .*app\.rb:\d+:in .*sleep/, failure_at("before fork 2", timeout_ms: 1000))
  end

  def test_a_hook_that_can_not_be_interrupted
    preload_misbehaving(HANG_FOR_GOOD)
    assert_match(/not done within 1000 ms: a fork hook .* probably hangs in the process between/,
                 failure_at("before fork 2", timeout_ms: 1000))
  end

  def test_a_hook_that_hangs_in_the_child_of_the_first_fork
    preload_misbehaving(HANG)
    assert_match(/not done within 1000 ms: a fork hook .* probably hangs in the process between/,
                 failure_at("after fork 1", timeout_ms: 1000))
  end

  def test_a_hook_that_hangs_in_the_worker
    preload_misbehaving(HANG)
    assert_match(/not done within 1000 ms: a fork hook .* probably hangs in the worker/,
                 failure_at("after fork 2", timeout_ms: 1000))
  end

  def test_a_hook_that_raises_anywhere
    preload_misbehaving(RAISE)
    ["before fork 1", "after fork 1", "before fork 2", "after fork 2"].each do |place|
      assert_match(/RuntimeError: the hook is broken at .*app\.rb:\d+/, failure_at(place), place)
    end
  end

  def test_a_hook_that_raises_in_the_preloader_when_the_fork_is_done
    preload_misbehaving(RAISE)
    idle = Processes.descriptors(supervisor.preloader)
    write("place", "beside fork 1")
    3.times do |n|
      supervisor.request("bad#{n}", "tell('ran', true)")
      assert_match(/RuntimeError: the hook is broken at .*app\.rb:\d+/, supervisor.expect("failed")["message"])
    end
    wait_until("all that was forked to go") { Processes.children(supervisor.preloader).empty? }
    wait_until("its pipes to be closed") { Processes.descriptors(supervisor.preloader) == idle }
    File.delete(File.join(dir, "place"))
    launch("good", "sleep")
    refute told?("ran")
  end

  def test_a_hook_that_hangs_in_the_preloader_when_the_fork_is_done
    preload_misbehaving(HANG)
    assert_match(/Rang: not done within 800 ms at .*app\.rb:\d+:in .*sleep/, failure_at("beside fork 1", timeout_ms: 1000))
    wait_until("all processes between to be reaped") { Processes.children(supervisor.preloader).empty? }
  end

  def test_a_process_between_that_hangs_is_killed_when_its_worker_is_lost_before
    preload_misbehaving(HANG_FOR_GOOD.sub("def misbehave", "\\0\n  raise('the hook is broken') if $depth == 2"))
    assert_match(/RuntimeError: the hook is broken at/, failure_at("after fork 2\nbeside fork 2"))
    wait_until("the process between to be reaped") { Processes.children(supervisor.preloader).empty? }
  end

  # The process that is there gets the request that is due first, whichever it was forked for.
  def test_one_that_hangs_does_not_hold_up_the_others
    preload_misbehaving(HANG_FOR_GOOD)
    write("place", "before fork 2")
    supervisor.request("first", "tell('ran', $$); sleep")
    told("hanging")
    File.delete(File.join(dir, "place"))
    supervisor.request("second", "sleep", slot: 1)
    assert_equal "first", supervisor.expect("launched")["id"]
    assert told("ran")
    refute_empty Processes.children(supervisor.preloader)
  end

  def test_what_hangs_ends_with_the_preloader
    ["after fork 1", "before fork 2", "after fork 2"].product(%i[KILL TERM]).each do |place, signal|
      preload_misbehaving(HANG_FOR_GOOD)
      write("place", place)
      supervisor.request("bad", "sleep", timeout_ms: 20_000)
      hanging = told("hanging")
      File.delete(File.join(dir, "hanging"))
      Process.kill(signal, supervisor.preloader)
      supervisor.reap(supervisor.preloader)
      # The process between, whose child it may be, goes at its own pace.
      wait_until("it to be ours") { (Processes.stat(hanging) || {})[:parent] == Process.pid }
      supervisor.reap(hanging)
    end
  end
end
