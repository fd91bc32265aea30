# frozen_string_literal: true

Gem::Specification.new do |spec|
  spec.name = "kleinhirn_loader"
  # Read, not required: Bundler evaluates this file inside preloaders, which already have the constant.
  spec.version = File.read(File.join(__dir__, "lib/kleinhirn_loader/version.rb"))[/VERSION = "([^"]+)"/, 1]
  spec.summary = "The Ruby side of the process supervisor kleinhirn"
  spec.description = "Loads an application once and forks kleinhirn's workers from it; lets workers say that they are ready."
  spec.authors = ["the kleinhirn authors"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 2.7"
  spec.files = Dir.chdir(__dir__) { Dir["lib/**/*.rb", "exe/*", "README.md"] }
  spec.bindir = "exe"
  spec.executables = ["kleinhirn_loader"]
  spec.require_paths = ["lib"]
  spec.metadata["rubygems_mfa_required"] = "true"
end
