# frozen_string_literal: true

require_relative "test_helper"

# From the start of the preloader to `ready` or `error`.
class LoadingTest < ProcessTest
  def load_error(text, **options)
    supervisor.start_preloader(load: write("app.rb", text), **options)
    error = supervisor.expect("loading") && supervisor.next_message
    assert_equal "error", error["action"]
    assert_nil supervisor.next_line, "the error is the last line"
    assert_equal 1, supervisor.reap(supervisor.preloader).exitstatus
    error
  end

  def test_hello_loading_ready_in_this_order
    path = write_app("tell('title', File.read('/proc/self/cmdline').delete(\"\\0\").strip)")
    supervisor.start_preloader(load: path)
    assert_equal({ "action" => "hello", "pid" => supervisor.preloader, "protocol" => 1 }, supervisor.next_message)
    assert_equal({ "action" => "loading", "file" => path }, supervisor.next_message)
    assert_equal({ "action" => "ready" }, supervisor.next_message)
    assert_equal "kleinhirn: shop preloader gen 3 loading #{path}", told("title")
    assert_equal "kleinhirn: shop preloader gen 3 ready", Processes.title(supervisor.preloader)
    assert_equal "", supervisor.stderr
  end

  def test_the_preloader_is_the_peer_of_its_connection
    preload
    assert_equal supervisor.preloader, supervisor.control.getsockopt(:SOCKET, :PEERCRED).data.unpack1("i")
  end

  def test_the_file_is_required_by_its_real_path
    real = write("releases/1/app.rb", "#{format(TELL, dir: dir.inspect)}tell('path', __FILE__)")
    File.symlink(File.join(dir, "releases/1"), File.join(dir, "current"))
    supervisor.start_preloader(load: File.join(dir, "current", "app.rb"))
    supervisor.expect("ready")
    assert_equal real, told("path")
  end

  def test_nothing_is_loaded_from_the_working_directory
    %w[json socket bundler kleinhirn_loader kleinhirn_loader/worker puma].each do |name|
      write("cwd/#{name}.rb", "raise 'loaded from the working directory'")
    end
    preload("require 'socket'; require 'json'; require 'kleinhirn_loader'; tell('path', $LOAD_PATH)",
            chdir: File.join(dir, "cwd"))
    assert_empty(told("path").select { |path| path == "." || path.start_with?(dir) })
  end

  def test_the_application_sees_no_arguments_and_no_library_of_ours
    preload("libraries = $LOADED_FEATURES.grep(%r{/(json|socket|set|etc|fiddle|io/wait)(\\.rb|/|$)})\n" \
            "tell('seen', [ARGV, libraries, Thread.list.size])")
    assert_equal [[], [], 1], told("seen")
  end

  def test_an_exception_with_its_cause
    error = load_error(<<~RUBY)
      def deep() raise("the cause") end
      def deeper
        deep
      rescue RuntimeError
        raise ArgumentError, "the effect"
      end
      deeper
    RUBY
    assert_equal "ArgumentError: the effect", error["message"]
    assert_match(/app\.rb:5:in .*deeper.*: the effect \(ArgumentError\)/, error["error"])
    assert_match(/app\.rb:1:in .*deep.*: the cause \(RuntimeError\)/, error["error"])
    assert_match(/app\.rb:7:in/, error["error"])
    assert_equal "", supervisor.stderr
  end

  def test_a_syntax_error
    error = load_error("def broken(\n")
    assert_match(/\ASyntaxError: .*app\.rb:/m, error["message"])
    assert_match(/app\.rb:\d/, error["error"])
  end

  def test_a_missing_library
    error = load_error("require 'no/such/library'")
    assert_match(%r{\ALoadError: cannot load such file -- no/such/library}, error["message"])
    assert_match(/app\.rb:1:in/, error["error"])
  end

  def test_a_missing_file
    supervisor.start_preloader(load: File.join(dir, "missing.rb"))
    error = supervisor.expect("loading") && supervisor.next_message
    assert_equal "error", error["action"]
    assert_match(/Errno::ENOENT: No such file or directory .*missing\.rb/, error["message"])
  end

  def test_exit_in_the_file
    error = load_error("at_exit { puts 'at_exit ran' }\nexit 0")
    assert_match(/app\.rb called exit or abort \(status 0\) while it was loaded, at .*app\.rb:2/, error["message"])
    assert_equal "", File.read(supervisor.stdout_path)
  end

  def test_abort_in_the_file
    error = load_error("abort 'no database'")
    assert_match(/called exit or abort \(status 1\)/, error["message"])
    assert_match(/no database \(SystemExit\)/, error["error"])
  end

  def test_exceptions_that_are_not_standard_errors
    assert_equal "Odd: odd", load_error("class Odd < Exception; end\nraise Odd, 'odd'")["message"]
  end

  def test_an_endless_recursion
    assert_match(/\ASystemStackError: stack level too deep/, load_error("def again() again() end\nagain")["message"])
  end

  def test_a_throw_that_nobody_catches
    assert_match(/\AUncaughtThrowError: uncaught throw :ball/, load_error("throw :ball")["message"])
  end

  def test_a_message_that_is_neither_short_nor_utf8
    supervisor.start_preloader(load: write("app.rb", "raise \"start \#{'x' * 1_000_000} \\xff end\""))
    2.times { supervisor.next_line }
    line = supervisor.next_line
    assert_operator line.bytesize, :<=, 65_536
    error = JSON.parse(line)
    assert_match(/\ARuntimeError: start x+\n.* bytes left out .*\nx+ .* end\z/m, error["message"])
    assert_match(/app\.rb:1/, error["error"])
  end

  def test_names_and_messages_without_a_locale
    path = write("größe/straße.rb", "raise 'zu groß: \u{1F40B}'.encode('UTF-16LE') + 'x'.encode('UTF-16LE')")
    supervisor.start_preloader(load: path, env: { "LANG" => nil, "LC_ALL" => "C" })
    assert_equal path, supervisor.expect("loading")["file"]
    error = supervisor.next_message
    assert_equal "RuntimeError: zu groß: \u{1F40B}x", error["message"]
    assert_match(%r{größe/straße\.rb:1:in}, error["error"])
  end

  def test_exit_in_a_file_with_a_strange_name
    path = write("straße.rb", "exit 3")
    supervisor.start_preloader(load: path, env: { "LANG" => nil, "LC_ALL" => "C" })
    supervisor.expect("loading")
    assert_match(%r{/straße\.rb called exit or abort \(status 3\) while it was loaded, at .*/straße\.rb:1},
                 supervisor.next_message["message"])
  end

  def test_an_exception_that_can_not_say_its_message
    error = load_error("class Mute < StandardError; def message() raise('mute') end; end; raise Mute")
    assert_match(/\AMute \(its message raised RuntimeError\)/, error["message"])
  end

  def test_term_while_loading_tells_where_it_hung
    path = write_app("def hangs\n  tell('hanging', true)\n  sleep\nend\nhangs\n")
    supervisor.start_preloader(load: path)
    supervisor.expect("loading")
    told("hanging")
    Process.kill(:TERM, supervisor.preloader)
    error = supervisor.next_message
    assert_match(/\Aloading was interrupted by SIGTERM, at .*app\.rb:\d+:in .*sleep/, error["message"])
    assert_match(/app\.rb:\d+:in .*hangs/, error["error"])
    assert_equal 1, supervisor.reap(supervisor.preloader).exitstatus
  end

  def test_a_file_that_becomes_a_daemon_is_no_preloader
    supervisor.start_preloader(load: write("app.rb", "Process.daemon(true, true)"))
    supervisor.expect("loading")
    assert_nil supervisor.next_line
    assert_match(/app\.rb left its process/, supervisor.stderr)
  end

  def test_a_supervisor_that_is_not_there
    output = IO.popen([FakeSupervisor::CLEAN, RbConfig.ruby, "-I#{LIB_FOLDER}", FakeSupervisor::EXE, "--socket",
                       "#{dir}/nobody", "--name", "n", "--version", "v", "--generation", "1", "--load", "x.rb",
                       { err: %i[child out] }], &:read)
    assert_match(%r{no connection to the supervisor: No such file or directory .*/nobody}, output)
    assert_equal 1, $?.exitstatus
  end

  def test_wrong_arguments
    output = IO.popen([FakeSupervisor::CLEAN, RbConfig.ruby, "-I#{LIB_FOLDER}", FakeSupervisor::EXE, "--wrong", "x",
                       { err: %i[child out] }], &:read)
    assert_match(/unknown argument "--wrong"/, output)
    assert_equal 64, $?.exitstatus
  end
end
