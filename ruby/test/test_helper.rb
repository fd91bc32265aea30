# frozen_string_literal: true

require "minitest/autorun"
require "fileutils"
require "json"
require "socket"
require "tmpdir"

require_relative "helpers/processes"
require_relative "helpers/wait"
require_relative "helpers/fake_supervisor"

RUBY_FOLDER = File.expand_path("..", __dir__)
LIB_FOLDER = File.join(RUBY_FOLDER, "lib")

# Processes that lose their parent come to this one, as they come to the supervisor.
Processes.become_subreaper

# A test with real processes: a temporary folder, a fake supervisor, and no process left when it ends.
class ProcessTest < Minitest::Test
  include Wait

  attr_reader :dir, :supervisor

  def setup
    @dir = File.realpath(Dir.mktmpdir("kleinhirn-loader-"))
    @supervisor = FakeSupervisor.new(dir)
  end

  def teardown
    left = @supervisor.end_everything
    FileUtils.remove_entry(@dir)
    assert_empty left, "processes were left"
  end

  # Writes a file into the test's folder and returns its path.
  def write(name, text)
    path = File.join(dir, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
    path
  end

  # What an application of the tests begins with: `tell` hands a value to the test.
  TELL = <<~'RUBY'
    def tell(name, value)
      require "json"
      path = File.join(%<dir>s, name)
      File.write("#{path}.part", JSON.generate([value]))
      File.rename("#{path}.part", path)
    end
  RUBY

  def write_app(text = "")
    write("app.rb", format(TELL, dir: dir.inspect) + text)
  end

  # The value that the application told under that name, as soon as it has.
  def told(name)
    path = File.join(dir, name)
    wait_until("#{name} to be told") { File.exist?(path) }
    JSON.parse(File.read(path)).first
  end

  def told?(name)
    File.exist?(File.join(dir, name))
  end

  # Starts a preloader with an application of that text and waits until it is ready.
  def preload(text = "", **options)
    supervisor.start_preloader(load: write_app(text), **options)
    supervisor.expect("ready")
  end

  def launch(id, expression, **fields)
    supervisor.request(id, expression, **fields)
    supervisor.expect("launched", id: id).fetch("pid")
  end
end
