# frozen_string_literal: true

require_relative "test_helper"

# "I am ready", from a preloaded worker, from an executed program, and from the descendants of either.
class AckTest < ProcessTest
  OK = "{\"ok\":true}\n"
  VARIABLES = %w[KLEINHIRN_SOCKET KLEINHIRN_WORKER_ID KLEINHIRN_WORKER_SLOT KLEINHIRN_SET KLEINHIRN_NAME
                 KLEINHIRN_VERSION KLEINHIRN_STATUS_FD].freeze

  # A worker of the type `program`: Ruby, without a preloader.
  def execute(text, id: "p1", **options)
    env = { "KLEINHIRN_SOCKET" => supervisor.address, "KLEINHIRN_WORKER_ID" => id, "KLEINHIRN_WORKER_SLOT" => "6",
            "KLEINHIRN_SET" => "web", "KLEINHIRN_NAME" => "shop", "KLEINHIRN_VERSION" => "v7" }
    text = "#{format(TELL, dir: dir.inspect)}require 'kleinhirn_loader/worker'\n#{text}"
    supervisor.execute(RbConfig.ruby, "-w", "-I#{LIB_FOLDER}", write("program.rb", text),
                       env: env.merge(options.delete(:env) || {}), **options)
  end

  def test_a_preloaded_worker_acks_once
    preload("require 'kleinhirn_loader'")
    pid = launch("w1", "tell('acks', [KleinhirnLoader.ack, KleinhirnLoader.ack, KleinhirnLoader::Worker.new.done]); " \
                       "tell('env', ENV.keys.grep(/KLEINHIRN/)); w = KleinhirnLoader::Worker.new; " \
                       "tell('worker', [w.id, w.set, w.slot]); sleep", slot: 3)
    report = supervisor.accept_report
    assert_equal({ "action" => "ack", "id" => "w1" }, report.message)
    assert_equal pid, report.pid
    assert_equal [true, false, false], told("acks"), "the worker does not wait for an answer"
    assert_empty told("env")
    assert_equal ["w1", "web", 3], told("worker")
    assert_equal "kleinhirn: shop web.3 ready", Processes.title(pid)
    refute supervisor.report?
  end

  def test_an_executed_program_acks_with_the_originals_api
    pid = execute("tell('done', KleinhirnLoader::Worker.new.done); tell('env', ENV.keys.grep(/KLEINHIRN/)); " \
                  "w = KleinhirnLoader::Worker.new; tell('worker', [w.id, w.set, w.slot]); sleep")
    report = supervisor.accept_report
    assert_equal [{ "action" => "ack", "id" => "p1" }, pid], [report.message, report.pid]
    assert told("done")
    assert_empty told("env")
    assert_equal ["p1", "web", 6], told("worker")
    assert_match(/program\.rb\z/, Processes.title(pid), "its command line is its user's")
  end

  def test_an_abstract_address
    other = FakeSupervisor.new(Dir.mktmpdir(nil, dir), address: "@kleinhirn-loader-test-#{Process.pid}")
    other.start_preloader(load: write_app("require 'kleinhirn_loader'"))
    other.expect("ready")
    other.request("w1", "KleinhirnLoader.ack; sleep")
    other.expect("launched")
    assert_equal "w1", other.accept_report.message["id"]
  ensure
    assert_empty other.end_everything
  end

  def test_descendants_wait_for_the_answer
    preload("require 'kleinhirn_loader'")
    launch("w1", "fork { tell('forked', KleinhirnLoader.ack) }; sleep")
    report = supervisor.accept_report
    assert Processes.alive?(report.pid)
    refute told?("forked")
    report.answer(OK)
    assert told("forked")
  end

  def test_a_program_below_a_shell_waits_for_the_answer
    below = write("below.rb", "#{format(TELL, dir: dir.inspect)}require 'kleinhirn_loader'\n" \
                              "tell('ack', KleinhirnLoader.ack)")
    pid = execute("exec('sh', '-c', '\"$@\"; true', 'sh', #{RbConfig.ruby.inspect}, '-I#{LIB_FOLDER}', #{below.inspect})")
    report = supervisor.accept_report
    refute_equal pid, report.pid
    assert Processes.alive?(report.pid)
    report.answer(OK)
    assert told("ack")
  end

  def test_a_refusal_is_said_and_is_final
    execute("Process.wait(fork { tell('acks', [KleinhirnLoader::Worker.new.done, KleinhirnLoader::Worker.new.done]) })")
    supervisor.accept_report.answer("{\"error\":\"no such worker\"}\n")
    assert_equal [false, false], told("acks")
    assert_match(/kleinhirn_loader: no ack: .*no such worker/, supervisor.stderr)
  end

  def test_a_supervisor_that_hangs_up
    execute("Process.wait(fork { tell('ack', KleinhirnLoader::Worker.new.done) })")
    supervisor.accept_report.answer("")
    assert_equal false, told("ack")
    assert_match(/no ack: the connection was closed without an answer/, supervisor.stderr)
  end

  def test_a_supervisor_that_is_not_there_may_come_back
    execute("socket = ENV['KLEINHIRN_SOCKET']; ENV['KLEINHIRN_SOCKET'] += '-wrong'; " \
            "first = KleinhirnLoader::Worker.new.done; ENV['KLEINHIRN_SOCKET'] = socket; " \
            "tell('acks', [first, KleinhirnLoader::Worker.new.done])")
    assert_equal "p1", supervisor.accept_report.message["id"]
    assert_equal [false, true], told("acks")
    assert_match(/no ack: No such file or directory/, supervisor.stderr)
  end

  def test_threads_ack_once_together
    execute("tell('acks', Array.new(10) { Thread.new { KleinhirnLoader::Worker.new.done } }.map(&:value)); sleep")
    supervisor.accept_report
    assert_equal({ true => 1, false => 9 }, told("acks").tally)
    refute supervisor.report?
  end

  def test_a_full_backlog_passes
    skip "before Ruby 3.0, connect(2) itself waits" if RUBY_VERSION < "3"
    path = File.join(dir, "narrow.sock")
    server = UNIXServer.new(path)
    server.listen(0)
    waiting = UNIXSocket.new(path)
    # The program tells when a first try has found the backlog full.
    execute("module Told; def connect(*) super; rescue SystemCallError; tell('full', true); raise; end; end; " \
            "require 'kleinhirn_loader/connection'; KleinhirnLoader::Connection.singleton_class.prepend(Told); " \
            "tell('ack', KleinhirnLoader::Worker.new.done); sleep", env: { "KLEINHIRN_SOCKET" => path })
    told("full")
    refute told?("ack")
    accepted = Array.new(2) { server.accept }
    assert_equal "{\"action\":\"ack\",\"id\":\"p1\"}\n", accepted.last.gets
    assert told("ack")
  ensure
    [waiting, server, *accepted].compact.each(&:close)
  end

  def test_the_status_descriptor
    reader, writer = IO.pipe
    execute("tell('done', KleinhirnLoader::Worker.new.done); tell('env', ENV.keys.grep(/KLEINHIRN/)); " \
            "tell('closed', (IO.for_fd(9) rescue $!.class.name)); sleep",
            env: { "KLEINHIRN_STATUS_FD" => "9", "KLEINHIRN_SOCKET" => nil }, 9 => writer)
    writer.close
    assert_equal "{\"action\":\"ack\",\"id\":\"p1\"}\n", reader.gets
    assert told("done")
    assert_empty told("env")
    assert_equal "Errno::EBADF", told("closed")
  ensure
    [reader, writer].each(&:close)
  end

  def test_a_status_descriptor_that_is_something_else_now
    file = File.new(File.join(dir, "precious"), "w")
    execute("tell('done', KleinhirnLoader::Worker.new.done); sleep",
            env: { "KLEINHIRN_STATUS_FD" => "9", "KLEINHIRN_SOCKET" => nil }, 9 => file)
    assert_equal false, told("done")
    assert_empty File.read(file.path)
    assert_match(/KLEINHIRN_STATUS_FD is 9, neither a pipe nor a socket/, supervisor.stderr)
    execute("tell('second', KleinhirnLoader::Worker.new.done); sleep",
            env: { "KLEINHIRN_STATUS_FD" => "nine", "KLEINHIRN_SOCKET" => nil })
    assert_equal false, told("second")
    assert_match(/KLEINHIRN_STATUS_FD is "nine", not a number/, supervisor.stderr)
  ensure
    file.close
  end
end
