# frozen_string_literal: true

require_relative "test_helper"

# How workers end, and who is told.
class EndingTest < ProcessTest
  # Runs an expression to its end and returns the worker's Process::Status.
  def run_worker(id, expression)
    supervisor.reap(launch(id, expression))
  end

  # Answers the worker's report of its exception and returns that with its end.
  def failing_worker(id, expression, answer: "{\"ok\":true}\n")
    pid = launch(id, expression)
    report = supervisor.accept_report
    assert_equal pid, report.pid
    assert Processes.alive?(pid), "it waits for the answer"
    report.answer(answer)
    [report.message, supervisor.reap(pid)]
  end

  def test_exit_statuses
    preload
    assert_equal 0, run_worker("w1", "nil").exitstatus
    assert_equal 0, run_worker("w2", "exit").exitstatus
    assert_equal 3, run_worker("w3", "exit 3").exitstatus
    assert_equal 4, run_worker("w4", "exit! 4").exitstatus
    assert_equal 1, run_worker("w5", "abort 'as asked'").exitstatus
    assert_equal Signal.list["TERM"], run_worker("w6", "Process.kill(:TERM, $$); sleep").termsig
    assert_equal Signal.list["INT"], run_worker("w7", "raise Interrupt").termsig
    assert_equal "as asked", supervisor.stderr.lines.first.chomp
    refute supervisor.report?
  end

  def test_at_exit_runs_in_the_worker_and_nowhere_else
    preload("at_exit { File.write(File.join(#{dir.inspect}, \"at_exit-\#{$$}\"), $!.class.name) }")
    returned = launch("w1", "nil")
    supervisor.reap(returned)
    raised, = failing_worker("w2", "raise 'oops'") && Dir.children(dir).grep(/at_exit/).size
    supervisor.control.close
    supervisor.reap(supervisor.preloader)
    assert_equal 2, raised
    assert_equal "NilClass", File.read(File.join(dir, "at_exit-#{returned}"))
    assert_equal %w[NilClass RuntimeError],
                 Dir.children(dir).grep(/at_exit/).map { |name| File.read(File.join(dir, name)) }.sort
  end

  def test_an_exception_is_reported_with_its_backtrace
    preload("def broken() raise(KeyError, 'no such thing') end")
    message, status = failing_worker("w1", "\nbroken")
    assert_equal ["error", "w1", "KeyError: no such thing"], message.values_at("action", "id", "message")
    assert_match(/app\.rb:\d+:in .*broken.*: no such thing \(KeyError\)\n.*start_expression of web:2:in/m, message["error"])
    assert_equal 1, status.exitstatus
    assert_equal "", supervisor.stderr
  end

  def test_exceptions_of_every_kind
    preload
    { "def (" => /\ASyntaxError/, "class Odd < Exception; end; raise Odd, 'x'" => /\AOdd: x/,
      "def again() again end; again" => /\ASystemStackError/, "require 'no/such'" => /\ALoadError/,
      "throw :ball" => /\AUncaughtThrowError/, "raise NoMemoryError" => /\ANoMemoryError/ }.each do |expression, expected|
      message, status = failing_worker(expression, expression)
      assert_match expected, message["message"]
      assert_equal 1, status.exitstatus
    end
    assert_equal "", supervisor.stderr
  end

  def test_an_exception_in_an_after_fork_hook
    preload("require 'kleinhirn_loader'; KleinhirnLoader.after_fork { |w| raise \"no slot \#{w.slot}\" }")
    message, status = failing_worker("w1", "tell('ran', true)")
    assert_equal "RuntimeError: no slot 0", message["message"]
    assert_equal 1, status.exitstatus
    refute told?("ran")
  end

  def test_a_working_directory_that_is_gone
    path = write_app("Dir.rmdir(File.join(#{dir.inspect}, 'cwd'))")
    Dir.mkdir(File.join(dir, "cwd"))
    supervisor.start_preloader(load: path, chdir: File.join(dir, "cwd"))
    supervisor.expect("ready")
    message, status = failing_worker("w1", "tell('ran', true)")
    assert_match(/\AErrno::ENOENT: .*cwd/, message["message"])
    assert_equal 1, status.exitstatus
  end

  def test_a_supervisor_that_refuses_the_report
    preload
    _, status = failing_worker("w1", "raise 'oops'", answer: "{\"error\":\"who are you\"}\n")
    assert_equal 1, status.exitstatus
    assert_match(/the supervisor did not take the report of this exception: .*who are you/, supervisor.stderr)
    assert_match(/start_expression of web:1.*oops \(RuntimeError\)/, supervisor.stderr)
  end

  def test_a_supervisor_that_can_not_be_reached
    preload
    File.delete(supervisor.address)
    assert_equal 1, run_worker("w1", "raise 'oops'").exitstatus
    assert_match(/the supervisor could not be told of this exception: Errno::ENOENT/, supervisor.stderr)
    assert_match(/oops \(RuntimeError\)/, supervisor.stderr)
  end

  def test_a_status_that_at_exit_chooses_stands
    preload("at_exit { exit 7 }")
    _, status = failing_worker("w1", "raise 'oops'")
    assert_equal 7, status.exitstatus
  end

  def test_a_child_that_falls_out_of_the_expression_is_not_the_worker
    preload
    status = run_worker("w1", "pid = fork; raise('in the child') unless pid; Process.wait(pid); exit($?.exitstatus + 10)")
    assert_equal 11, status.exitstatus
    refute supervisor.report?
    assert_match(/in the child/, supervisor.stderr)
  end

  def test_what_was_printed_is_not_printed_twice
    preload("print 'loaded '; File.open(File::NULL, 'w').print('x')")
    run_worker("w1", "puts 'one'")
    run_worker("w2", "puts 'two'")
    assert_equal "loaded one\ntwo\n", File.read(supervisor.stdout_path)
  end
end
