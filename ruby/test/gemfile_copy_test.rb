# frozen_string_literal: true

require "kleinhirn_loader/version"
require_relative "test_helper"
require_relative "helpers/gem_package"

# An application whose Gemfile names the gem in another version than the one that kleinhirn brings.
class GemfileCopyTest < ProcessTest
  NEW_FILE = { "lib/kleinhirn_loader/tomorrow.rb" => "raise 'the other copy was loaded'" }.freeze

  # Starts a preloader whose bundle has a copy like that; returns what was logged about it.
  def start_with_copy(**differences)
    package = GemPackage.new(File.join(dir, "package"), **differences)
    supervisor.start_preloader(load: write_app(APPLICATION), gemfile: write("Gemfile", "gem 'kleinhirn_loader'"),
                               env: package.install)
    supervisor.expect("ready")
    supervisor.seen.select { |message| message["action"] == "log" && message["msg"].include?("Gemfile") }
  end

  APPLICATION = <<~'RUBY'
    Bundler.require
    KleinhirnLoader.after_fork { |worker| tell("hook", worker.id) }
    tomorrow = begin
      require "kleinhirn_loader/tomorrow"
    rescue LoadError => e
      e.message
    end
    tell("tomorrow", tomorrow)
    tell("copies", $LOADED_FEATURES.map { |path| path[%r{\A(.*)/kleinhirn_loader(/[a-z_]+)?\.rb\z}, 1] }.compact.uniq)
  RUBY

  # The worker works by the copy that came with kleinhirn, and by no file of the other.
  def assert_own_copy_works
    launch("w1", "KleinhirnLoader.ack; sleep")
    assert_equal "w1", supervisor.accept_report.message["id"]
    assert_equal "w1", told("hook")
    assert_equal [LIB_FOLDER], told("copies")
    assert_equal "", supervisor.stderr
  end

  def test_the_same_version_is_no_matter
    assert_empty start_with_copy
    assert_own_copy_works
  end

  def test_an_older_one_is_told
    remark, *more = start_with_copy(version: "0.0.9")
    assert_empty more
    assert_equal ["info", "0.0.9", KleinhirnLoader::VERSION], remark.values_at("level", "gemfile", "used")
    assert_match(/older/, remark["msg"])
    assert_own_copy_works
  end

  def test_a_newer_one_is_a_warning_and_no_file_of_it_is_mixed_in
    remark, *more = start_with_copy(version: "9.0.0", files: NEW_FILE)
    assert_empty more
    assert_equal ["warning", "9.0.0", KleinhirnLoader::VERSION], remark.values_at("level", "gemfile", "used")
    assert_match(/newer/, remark["msg"])
    assert_match(/cannot load such file/, told("tomorrow"))
    assert_own_copy_works
  end

  def test_another_protocol_is_a_warning_that_names_both
    remark, *more = start_with_copy(version: "9.0.0", protocol: 2)
    assert_empty more
    assert_equal ["warning", "9.0.0", "2", 1], remark.values_at("level", "gemfile", "gemfile_protocol", "protocol")
    assert_match(/another protocol/, remark["msg"])
    assert_match(/name version #{Regexp.escape(KleinhirnLoader::VERSION)} in the Gemfile/, remark["remedy"])
    assert_own_copy_works
  end

  # What a worker starts with the bundle is a program of its own, and has what the Gemfile says.
  def test_a_program_that_a_worker_starts_has_the_copy_of_the_gemfile
    start_with_copy(version: "9.0.0")
    launch("w1", <<~RUBY)
      program = 'require "kleinhirn_loader"; print KleinhirnLoader::VERSION'
      tell("version", IO.popen([Gem.ruby, "-rbundler/setup", "-e", program], &:read))
      sleep
    RUBY
    assert_equal "9.0.0", told("version")
  end
end
