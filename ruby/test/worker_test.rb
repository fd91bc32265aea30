# frozen_string_literal: true

require_relative "test_helper"

# What a worker finds when its expression runs.
class WorkerTest < ProcessTest
  # What the machine's own Ruby opens for itself.
  OWN_DESCRIPTORS = /\Aanon_inode:\[event(fd|poll)\]\z/.freeze

  def test_session_title_and_directory
    preload("Dir.chdir('/')")
    pid = launch("w1", "tell('here', [Dir.pwd, Process.getsid, Process.getpgrp]); sleep", slot: 4, set: "jobs")
    assert_equal [dir, pid, pid], told("here")
    assert_equal "kleinhirn: shop jobs.4 starting", Processes.title(pid)
  end

  def test_environment
    preload("ENV['FROM_APP'] = 'kept'; ENV['KLEINHIRN_STATUS_FD'] = '9'", env: { "FROM_SUPERVISOR" => "kept" })
    launch("w1", "tell('env', ENV.to_h); sleep", slot: 4, set: "jobs")
    env = told("env")
    assert_equal({ "KLEINHIRN_SOCKET" => supervisor.address, "KLEINHIRN_WORKER_ID" => "w1", "KLEINHIRN_WORKER_SLOT" => "4",
                   "KLEINHIRN_SET" => "jobs", "KLEINHIRN_NAME" => "shop", "KLEINHIRN_VERSION" => "v7" },
                 env.select { |name, _| name.start_with?("KLEINHIRN_") })
    assert_equal %w[kept kept], env.values_at("FROM_APP", "FROM_SUPERVISOR")
    assert_empty(env.keys.grep(/\ALISTEN_|\ARUBYLIB\z/))
  end

  def test_standard_input_is_empty_whatever_the_application_made_of_it
    reader, writer = IO.pipe
    writer.puts("not for workers")
    preload("$stdin.gets", options: { in: reader })
    pid = launch("w1", "tell('input', STDIN.read); sleep")
    assert_equal "", told("input")
    assert_equal File::NULL, Processes.descriptors(pid).fetch(0)
  ensure
    [reader, writer].each(&:close)
  end

  def test_only_the_standard_descriptors_are_open
    preload
    supervisor.request("w0", "sleep")
    pid = launch("w1", "tell('program', `ls -l /proc/self/fd`); sleep", slot: 1)
    program = told("program").scan(/(\d+) -> (.*)$/).to_h
    others = Processes.descriptors(pid).reject { |number, what| number <= 2 || what.match?(OWN_DESCRIPTORS) }
    assert_empty others
    # ls itself opens the folder that it lists.
    assert_equal(%w[0 1 2], program.reject { |_, what| what.match?(%r{\A/proc/\d+/fd\z}) }.keys)
  end

  def test_signals_are_those_of_any_ruby_program_and_of_the_application
    names = "Signal.list.keys - %w[EXIT KILL STOP VTALRM SEGV BUS ILL FPE]"
    ask = "(#{names}).map { |s| [s, (trap(s, 'DEFAULT') rescue 'reserved').to_s[/\\A[A-Z_a-z]+|Proc/]] }"
    plain = JSON.parse(IO.popen([RbConfig.ruby, "-rjson", "-e", "print JSON.generate(#{ask})"], &:read)).to_h
    preload("trap('USR2') { }")
    pid = launch("w1", "tell('masks', $$); sleep", slot: 1)
    launch("w2", "tell('signals', #{ask}); sleep")
    assert_equal plain.merge("USR2" => nil), told("signals").to_h.merge("USR2" => nil)
    told("masks")
    assert_equal [0, 0], Processes.signals(pid).values_at("SigBlk", "SigIgn")
  end

  def test_the_applications_own_trap_is_the_workers
    preload("trap('USR2') { exit 42 }")
    pid = launch("w1", "tell('ran', true); sleep")
    told("ran")
    Process.kill(:USR2, pid)
    assert_equal 42, supervisor.reap(pid).exitstatus
  end

  def test_open_files
    preload
    launch("w1", "tell('limit', Process.getrlimit(:NOFILE)); sleep", open_files: 100)
    assert_equal [100, Process.getrlimit(:NOFILE).last], told("limit")
    launch("w2", "tell('beyond', Process.getrlimit(:NOFILE)); sleep", open_files: 1 << 40)
    assert_equal Array.new(2, Process.getrlimit(:NOFILE).last), told("beyond")
  end

  def test_random_numbers_differ
    preload(<<~RUBY)
      require "openssl"
      require "securerandom"
      module Seeds
        def seed(bytes) (@seeds ||= []) << bytes.unpack1("H*"); super end
        attr_reader :seeds
      end
      OpenSSL::Random.singleton_class.prepend(Seeds)
      srand(42)
    RUBY
    expression = "tell(ENV['KLEINHIRN_WORKER_ID'], [rand(1 << 64), Random.rand, Random.bytes(8).unpack1('H*'), " \
                 "SecureRandom.hex, OpenSSL::Random.random_bytes(8).unpack1('H*'), OpenSSL::Random.seeds]); sleep"
    3.times { |n| launch("w#{n}", expression, slot: n) }
    numbers = Array.new(3) { |n| told("w#{n}") }
    numbers.transpose.each { |column| assert_equal 3, column.uniq.size, column.inspect }
    # Once in the preloader, for what OpenSSL allocates then, and once in each worker.
    shared, own = numbers.map(&:last).transpose
    assert_equal 1, shared.uniq.size
    assert_equal 3, own.uniq.size
  end

  def test_hooks_run_in_order_and_know_the_worker
    preload(<<~RUBY)
      require "kleinhirn_loader"
      $calls = []
      2.times { |n| KleinhirnLoader.before_fork { $calls << ["before", n, $$] } }
      2.times { |n| KleinhirnLoader.after_fork { |w| $calls << ["after", n, $$, w.set, w.slot, w.id, Dir.pwd] } }
    RUBY
    pid = launch("w1", "tell('calls', $calls); sleep", slot: 5)
    preloader = supervisor.preloader
    assert_equal [["before", 0, preloader], ["before", 1, preloader],
                  ["after", 0, pid, "web", 5, "w1", dir], ["after", 1, pid, "web", 5, "w1", dir]], told("calls")
  end

  def test_the_expression_runs_at_the_top_level
    preload("KEPT = 'from the preloader'")
    launch("w1", <<~RUBY)
      def helper() __method__ end
      tell("seen", [self.to_s, helper, KEPT, __FILE__, __LINE__, caller.grep(/preloader|fork|cli/), ARGV, $0])
      sleep
    RUBY
    assert_equal ["main", "helper", "from the preloader", "start_expression of web", 2, [], [], FakeSupervisor::EXE],
                 told("seen")
  end

  def test_another_supervisor_pid_may_be_named
    preload
    launch("w1", "tell('ran', true); sleep", supervisor_pid: Process.pid)
    assert told("ran")
    pid = launch("w2", "tell('ran2', true); sleep", supervisor_pid: supervisor.preloader)
    assert_equal 1, supervisor.reap(pid).exitstatus
    refute told?("ran2")
  end

  def test_a_worker_is_known_to_its_descendants
    preload("require 'kleinhirn_loader'")
    launch("w1", "fork { w = KleinhirnLoader.worker; tell('seen', [w.id, w.slot, w.this_process?]) }; " \
                 "tell('own', KleinhirnLoader.worker.this_process?); sleep", slot: 3)
    assert_equal ["w1", 3, false], told("seen")
    assert told("own")
  end
end
