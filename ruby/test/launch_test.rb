# frozen_string_literal: true

require_relative "test_helper"

# Spawns: who the worker is when it is announced, and what happens when it can't be had.
class LaunchTest < ProcessTest
  # A few answers with it are more than the kernel keeps for a connection.
  BIG_ID = "x" * 60_000
  # Says that it runs, and that it still does when USR1 asks.
  SURVIVOR = "$asked = false; trap('USR1') { $asked = true }; tell('ran', true); sleep(0.01) until $asked; " \
             "tell('alive', true)"

  def test_sixteen_at_once
    preload
    16.times { |slot| supervisor.request("w#{slot}", "tell('slot#{slot}', $$); sleep", slot: slot) }
    pids = Array.new(16) do
      message = supervisor.expect("launched")
      stat = Processes.stat(message["pid"])
      assert_equal Process.pid, stat[:parent], "the worker is ours before it is announced"
      assert_equal message["pid"], stat[:session]
      [message["id"], message["pid"]]
    end.to_h
    assert_equal 16, pids.values.uniq.size
    16.times { |slot| assert_equal pids.fetch("w#{slot}"), told("slot#{slot}") }
    wait_until("the processes in the middle to be reaped") { Processes.children(supervisor.preloader).empty? }
  end

  def test_launches_leave_no_descriptors_behind
    preload
    idle = Processes.descriptors(supervisor.preloader)
    20.times { |n| launch("w#{n}", "exit") }
    wait_until("the last gate to be closed") { Processes.descriptors(supervisor.preloader) == idle }
  end

  # Fills the connection with answers that nobody reads, so that what is said next has to wait in the preloader.
  def fill_connection
    8.times { |n| supervisor.say(op: "spawn", id: "#{BIG_ID}#{n}", set: nil) }
  end

  def worker_at_gate
    wait_until("a worker at its gate") do
      Processes.children.find { |pid| pid != supervisor.preloader && (Processes.stat(pid) || {})[:session] == pid }
    end
  end

  def test_a_worker_runs_nothing_before_its_announcement_is_written
    preload
    fill_connection
    supervisor.request("w1", "tell('ran', $$); sleep")
    pid = worker_at_gate
    supervisor.say(op: "nonsense") # is read after the worker's fork was done
    # It leads its session a moment before it has its title.
    wait_until("its title") { Processes.title(pid) == "kleinhirn: shop standby gen 3" }
    refute told?("ran")
    assert_equal pid, supervisor.expect("launched", id: "w1")["pid"]
    assert_equal pid, told("ran")
  end

  def test_a_preloader_that_is_killed_takes_the_unannounced_with_it
    preload
    fill_connection
    5.times { |n| supervisor.request("w#{n}", "tell('ran', $$); sleep", slot: n) }
    worker_at_gate
    Process.kill(:KILL, supervisor.preloader)
    supervisor.reap(supervisor.preloader)
    wait_until("the workers at the gate to go") do
      Process.wait(-1, Process::WNOHANG)
      Processes.children.empty?
    rescue Errno::ECHILD
      true
    end
    refute told?("ran")
  end

  def test_a_preloader_that_is_killed_leaves_running_workers_alone
    preload
    pid = launch("w1", SURVIVOR)
    told("ran")
    Process.kill(:KILL, supervisor.preloader)
    supervisor.reap(supervisor.preloader)
    Process.kill(:USR1, pid)
    assert told("alive")
  end

  def test_the_end_of_the_connection_ends_the_preloader_and_no_worker
    preload("at_exit { tell('at_exit', $$) }")
    pid = launch("w1", SURVIVOR)
    told("ran")
    supervisor.control.close
    assert_equal 0, supervisor.reap(supervisor.preloader).exitstatus
    refute told?("at_exit")
    Process.kill(:USR1, pid)
    assert told("alive")
  end

  def test_a_signal_ends_the_preloader_quietly
    %i[TERM INT].each do |signal|
      preload("at_exit { tell('at_exit', $$) }")
      Process.kill(signal, supervisor.preloader)
      assert_equal 0, supervisor.reap(supervisor.preloader).exitstatus
      assert_nil supervisor.next_line
    end
    refute told?("at_exit")
    assert_equal "", supervisor.stderr
  end

  def test_what_makes_no_sense_is_logged_once_and_ignored
    preload
    supervisor.write("garbage\n[1]\n\n\xff\n#{'x' * 100_000}\n")
    supervisor.say(op: "dance")
    supervisor.say(op: "dance")
    supervisor.say(op: "spawn", set: "web")
    launch("w1", "sleep", colour: "blue")
    launch("w2", "sleep", colour: "red")
    logs = supervisor.seen.select { |message| message["action"] == "log" }
    assert_equal ["warning"], logs.map { |log| log["level"] }.uniq
    said = logs.map { |log| log["msg"].delete_prefix("ignored from the supervisor: ") }
    assert_equal ["not JSON", "not a JSON object", "not JSON", "not JSON", "line too long", "unknown op",
                  "spawn without an id, a string", "unknown key in spawn"], said
    assert_equal(%w[dance], logs.map { |log| log["op"] }.compact)
    assert_equal(%w[colour], logs.map { |log| log["key"] }.compact)
  end

  def test_a_request_that_is_wrong_fails
    preload
    supervisor.request("w1", "sleep", slot: "first")
    assert_equal "the spawn request is wrong: slot must be a whole number from 0, not \"first\"",
                 supervisor.expect("failed", id: "w1")["message"]
    launch("w2", "sleep")
  end

  def test_a_before_fork_hook_that_raises_fails_its_launch
    preload(<<~RUBY)
      require "kleinhirn_loader"
      $count = 0
      KleinhirnLoader.before_fork { $count += 1 }
      KleinhirnLoader.before_fork { raise "no fork today" if $count == 1 }
      KleinhirnLoader.before_fork { exit if $count == 2 }
    RUBY
    supervisor.request("w1", "sleep")
    assert_match(/RuntimeError: no fork today at .*app\.rb:\d+/, supervisor.expect("failed", id: "w1")["message"])
    supervisor.request("w2", "sleep")
    assert_match(/SystemExit: exit at .*app\.rb:\d+/, supervisor.expect("failed", id: "w2")["message"])
    launch("w3", "tell('count', $count); sleep")
    assert_equal 3, told("count")
  end

  def test_a_before_fork_hook_that_hangs_is_interrupted
    preload(<<~RUBY)
      require "kleinhirn_loader"
      $slept = false
      KleinhirnLoader.before_fork { ($slept = true; begin; sleep; rescue; retry; end) unless $slept }
    RUBY
    supervisor.request("w1", "sleep", timeout_ms: 500)
    assert_match(/Rang: not done within 400 ms at .*app\.rb:\d+:in .*sleep/,
                 supervisor.expect("failed", id: "w1")["message"])
    launch("w2", "sleep")
  end

  def test_a_fork_that_the_system_refuses_fails_and_is_not_retried_without_end
    skip "only root can become someone else" unless Process.uid.zero?
    FileUtils.chmod(0o777, [dir, supervisor.address])
    preload(<<~RUBY)
      Process::Sys.setuid(65_531)
      Process.setrlimit(:NPROC, 0, Process.getrlimit(:NPROC).last)
    RUBY
    supervisor.request("w1", "sleep", timeout_ms: 200)
    failed = supervisor.expect("failed", id: "w1")
    assert_match(/Errno::EAGAIN: .*fork/, failed["message"])
    assert_equal "EAGAIN", failed["errno"]
    refute told?("ran")
  end

  def test_a_preloader_without_descriptors_fails_the_launch_and_lives
    preload("Process.setrlimit(:NOFILE, Dir.children('/proc/self/fd').size, Process.getrlimit(:NOFILE).last)")
    supervisor.request("w1", "sleep")
    assert_match(/Errno::EMFILE/, supervisor.expect("failed", id: "w1")["message"])
    supervisor.request("w2", "sleep")
    supervisor.expect("failed", id: "w2")
  end
end
