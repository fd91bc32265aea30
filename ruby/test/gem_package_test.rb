# frozen_string_literal: true

require_relative "test_helper"
require_relative "helpers/gem_package"
require "open3"

# The gem that `gem build` makes, and what it is to a program that has installed it.
class GemPackageTest < ProcessTest
  def package
    @package ||= GemPackage.new(File.join(dir, "package"))
  end

  # Status, standard output and error of a Ruby that finds the installed gem alone.
  def ruby(*arguments, env: {})
    variables = FakeSupervisor::CLEAN.merge(package.install, env)
    output, error, status = Open3.capture3(variables, RbConfig.ruby, "-w", *arguments)
    [status.exitstatus, output, error]
  end

  def test_the_package_has_the_code_and_nothing_of_the_tests
    code = Dir.chdir(RUBY_FOLDER) { Dir["lib/**/*.rb"] }
    assert_equal (code + %w[LICENSE README.md exe/kleinhirn_loader]).sort, package.build.sort
  end

  def test_the_map_in_the_readme_has_every_file
    table = File.readlines(File.join(RUBY_FOLDER, "README.md")).grep(/\A\| `/)
    named = table.flat_map { |row| row.split("|")[1].scan(/`(\w+)`/).flatten }
    files = Dir.children(File.join(LIB_FOLDER, "kleinhirn_loader")).map { |name| File.basename(name, ".rb") }
    assert_equal files.sort, named.sort
  end

  def test_the_licence_is_that_of_the_whole
    assert_equal File.read(File.join(RUBY_FOLDER, "../LICENSE")), File.read(File.join(RUBY_FOLDER, "LICENSE"))
  end

  def test_outside_kleinhirn_an_installed_gem_is_harmless
    program = 'require "kleinhirn_loader"; p KleinhirnLoader.ack, KleinhirnLoader.worker, KleinhirnLoader.before_fork {}'
    assert_equal [0, "false\nnil\nnil\n", ""], ruby("-e", program)
  end

  def test_its_executable_says_who_calls_it
    status, output, error = ruby("-S", "kleinhirn_loader", env: { "PATH" => "#{package.home}/bin:#{ENV.fetch('PATH')}" })
    assert_equal [64, ""], [status, output]
    assert_match(/\Akleinhirn_loader: --socket is missing\. The supervisor calls this program/, error)
  end

  # A program that is supervised without a preloader brings the gem itself.
  def test_a_program_that_has_installed_it_acks
    worker = { "KLEINHIRN_SOCKET" => supervisor.address, "KLEINHIRN_WORKER_ID" => "w1" }
    program = 'require "kleinhirn_loader"; KleinhirnLoader.ack; exit(ENV.keys.grep(/KLEINHIRN/).empty?)'
    pid = supervisor.execute(RbConfig.ruby, "-e", program, env: package.install.merge(worker))
    report = supervisor.accept_report
    assert_equal [{ "action" => "ack", "id" => "w1" }, pid], [report.message, report.pid]
    report.connection.close
    assert_predicate supervisor.reap(pid), :success?
  end

  def test_everything_that_an_application_may_call_is_described
    options = Gem::Specification.load(File.join(RUBY_FOLDER, "kleinhirn_loader.gemspec")).rdoc_options
    report, status = Open3.capture2e(FakeSupervisor::CLEAN, RbConfig.ruby, "-S", "rdoc", "--coverage-report=1",
                                     *options, "lib", "README.md", chdir: RUBY_FOLDER)
    skip "there is no rdoc here: #{report.lines.first}" if report.match?(/No such file|can't find executable|LoadError/)
    assert_predicate status, :success?, report
    assert_match(/100% documentation!/, report)
    assert_match(/Files: +\d/, report)
  end
end
