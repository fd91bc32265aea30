# frozen_string_literal: true

require_relative "test_helper"

# A process that is forked ahead of need and waits for the next request.
class StandbyTest < ProcessTest
  STANDBY_TITLE = "kleinhirn: shop standby gen 3"

  # Serves one request, and returns the process that waits for the next one.
  def standby(id = "served", **fields)
    launch(id, "sleep", **fields)
    supervisor.expect("standby").fetch("pid")
  end

  def pipes(pid)
    Processes.descriptors(pid).values.grep(/\Apipe:/)
  end

  def test_the_next_request_gets_the_process_that_waited
    preload
    pid = standby
    stat = Processes.stat(pid)
    assert_equal [Process.pid, pid], stat.values_at(:parent, :session)
    assert_equal STANDBY_TITLE, Processes.title(pid)
    assert_equal pid, launch("w1", "tell('ran', $$); sleep", slot: 1)
    assert_equal pid, told("ran")
    refute_equal pid, supervisor.expect("standby")["pid"], "another one takes its place"
  end

  def test_it_becomes_what_the_request_says
    preload
    standby("served", open_files: 90)
    launch("w1", "tell('here', [ENV['KLEINHIRN_WORKER_ID'], ENV['KLEINHIRN_SET'], Process.getrlimit(:NOFILE).first, " \
                 "__FILE__, Dir.pwd]); sleep", slot: 7, set: "jobs", open_files: 100)
    assert_equal ["w1", "jobs", 100, "start_expression of jobs", dir], told("here")
  end

  def test_one_that_has_died_is_never_announced
    preload
    pid = standby
    5.times do |n|
      Process.kill(:KILL, pid)
      supervisor.reap(pid)
      # As the kernel might have given its number to somebody else by now, it must not be said again.
      refute_equal pid, launch("w#{n}", "tell('ran#{n}', $$); sleep", slot: n + 1)
      assert told("ran#{n}")
      pid = supervisor.expect("standby")["pid"]
    end
    assert_empty(supervisor.seen.select { |message| %w[warning error].include?(message["level"]) })
  end

  def test_it_goes_with_its_preloader
    { "KILL" => -> { Process.kill(:KILL, supervisor.preloader) }, "TERM" => -> { Process.kill(:TERM, supervisor.preloader) },
      "the end of the connection" => -> { supervisor.control.close } }.each do |how, finish|
      preload("at_exit { tell('at_exit', $$) }")
      pid = standby
      finish.call
      supervisor.reap(supervisor.preloader)
      assert_equal 0, supervisor.reap(pid).exitstatus, how
    end
    refute told?("at_exit")
    assert_equal "", supervisor.stderr
  end

  def test_a_signal_ends_it_quietly_whatever_the_application_made_of_it
    preload("%w[TERM INT QUIT].each { |name| trap(name) { warn('trapped'); raise 'trapped' } }; at_exit { warn('at_exit') }")
    %i[TERM INT QUIT].each do |signal|
      pid = standby(signal.to_s)
      Process.kill(signal, pid)
      assert_equal 0, supervisor.reap(pid).exitstatus
    end
    assert_equal "", supervisor.stderr
  end

  def test_the_applications_traps_are_those_of_the_worker
    preload("trap('TERM') { exit 42 }; trap('INT', 'IGNORE'); trap('QUIT', nil)")
    standby
    pid = launch("w1", "tell('traps', %w[INT QUIT].map { |name| trap(name, 'DEFAULT') }); sleep", slot: 1)
    assert_equal ["IGNORE", nil], told("traps")
    Process.kill(:TERM, pid)
    assert_equal 42, supervisor.reap(pid).exitstatus
  end

  # F_SETPIPE_SZ (fcntl(2)): the kernel itself makes pipes this small for a user who has many.
  SMALL_PIPES = "IO.singleton_class.prepend(Module.new { def pipe(*) super.each { |io| io.fcntl(1031, 4096) } end })"

  def test_a_long_request_is_not_waited_for_until_the_worker_has_read_it
    preload(SMALL_PIPES)
    pid = standby
    Process.kill(:STOP, pid)
    assert_equal pid, launch("long", "tell('long', $$); sleep # #{'x' * 60_000}", slot: 1)
    launch("other", "tell('other', $$); sleep", slot: 2)
    assert told("other")
    refute told?("long")
    Process.kill(:CONT, pid)
    assert_equal pid, told("long")
  end

  def test_half_a_request_is_not_served
    preload(SMALL_PIPES)
    pid = standby
    Process.kill(:STOP, pid)
    launch("long", "tell('long', $$); sleep # #{'x' * 60_000}", slot: 1)
    # Only then it is sure that the gate was opened.
    launch("other", "sleep", slot: 2)
    Process.kill(:KILL, supervisor.preloader)
    supervisor.reap(supervisor.preloader)
    Process.kill(:CONT, pid)
    assert_equal 1, supervisor.reap(pid).exitstatus
    refute told?("long")
    assert_equal "", supervisor.stderr
  end

  def test_it_holds_the_worker_s_ends_of_its_own_pipes_and_no_others
    preload
    pid = standby
    own = pipes(pid)
    assert_equal 2, own.uniq.size
    assert_equal own.sort, pipes(supervisor.preloader).sort
    others = Processes.descriptors(pid).reject { |number, what| number <= 2 || what.match?(/\Apipe:|\Aanon_inode:/) }
    assert_empty others
    running = launch("w1", "tell('ran', $$); sleep", slot: 1)
    told("ran")
    assert_empty pipes(running)
  end

  def test_a_hook_that_raises_costs_the_standby_and_is_not_tried_again_without_end
    preload(<<~RUBY)
      require "kleinhirn_loader"
      $count = 0
      KleinhirnLoader.before_fork { raise "not ahead" if ($count += 1) == 2 }
    RUBY
    launch("w1", "sleep")
    lost = supervisor.expect("log")
    assert_equal ["warning", "a process that was forked ahead of need was lost"], lost.values_at("level", "msg")
    assert_match(/RuntimeError: not ahead at .*app\.rb:\d+/, lost["reason"])
    launch("w2", "tell('count', $count); sleep", slot: 1)
    assert_equal 3, told("count")
    supervisor.expect("standby")
  end

  def test_a_hook_that_hangs_costs_the_standby
    preload(<<~RUBY)
      require "kleinhirn_loader"
      $count = 0
      KleinhirnLoader.before_fork { sleep if ($count += 1) == 2 }
    RUBY
    launch("w1", "sleep", timeout_ms: 500)
    assert_match(/Rang: not done within 400 ms at .*app\.rb:\d+/, supervisor.expect("log")["reason"])
    launch("w2", "tell('count', $count); sleep", slot: 1)
    assert_equal 3, told("count")
  end

  def test_a_request_that_counts_on_it_is_answered_in_its_own_time
    skip "Ruby #{RUBY_VERSION} has no Process._fork" unless Process.respond_to?(:_fork)
    preload(<<~RUBY)
      $preloader = $$
      $forks = 0
      Process.singleton_class.prepend(Module.new do
        def _fork
          second = $$ == $preloader && ($forks += 1) == 2
          pid = super
          (tell("hanging", $$); (begin; sleep; rescue Exception; retry; end)) if second && pid.zero?
          pid
        end
      end)
      require "json"
    RUBY
    # The fork that hangs may take as long as the last request.
    launch("w1", "sleep", timeout_ms: 600_000)
    told("hanging")
    supervisor.request("w2", "sleep", slot: 1, timeout_ms: 300)
    assert_match(/not done within 300 ms: .* hangs in the process between/, supervisor.expect("failed", id: "w2")["message"])
    launch("w3", "sleep", slot: 1)
  end
end
