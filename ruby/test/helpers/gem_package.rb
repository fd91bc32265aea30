# frozen_string_literal: true

require "fileutils"
require "rbconfig"
require "rubygems/package"

# The gem as it would be published: built and installed by RubyGems' own programs, in a folder of the test's.
class GemPackage
  SOURCE = File.expand_path("../..", __dir__)
  PARTS = %w[lib exe README.md LICENSE kleinhirn_loader.gemspec].freeze

  attr_reader :folder, :file, :home

  # `version` and `protocol` are written into a copy of the gem's source, `files` added to it.
  def initialize(dir, version: nil, protocol: nil, files: {})
    @folder = File.join(dir, "source")
    @file = File.join(dir, "built.gem")
    @home = File.join(dir, "home")
    FileUtils.mkdir_p(@folder)
    PARTS.each { |part| FileUtils.cp_r(File.join(SOURCE, part), @folder) }
    change(version, protocol)
    files.each { |path, text| File.write(File.join(@folder, path), text) }
  end

  # What is in the package.
  def build
    run("build", "kleinhirn_loader.gemspec", "--output", @file)
    Gem::Package.new(@file).contents
  end

  # The variables by which a program finds the installed gem, and no other but Ruby's own.
  def install
    build
    run("install", "--local", "--install-dir", @home, "--no-document", @file)
    { "GEM_HOME" => @home, "GEM_PATH" => @home }
  end

  private

  def change(version, protocol)
    path = File.join(@folder, "lib/kleinhirn_loader/version.rb")
    text = File.read(path)
    text.sub!(/VERSION = ".*"/, "VERSION = #{version.inspect}") if version
    text.sub!(/PROTOCOL = \d+/, "PROTOCOL = #{protocol}") if protocol
    File.write(path, text)
  end

  def run(*arguments)
    command = [FakeSupervisor::CLEAN, RbConfig.ruby, "-S", "gem", *arguments, { chdir: @folder, err: %i[child out] }]
    output = IO.popen(command, &:read)
    raise "gem #{arguments.first} failed: #{output}" unless $?.success?
  end
end
