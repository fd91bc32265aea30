# frozen_string_literal: true

Gem::Specification.new do |spec|
  # Read, not required: Bundler evaluates this file inside preloaders, which already have the constants.
  constants = File.read(File.join(__dir__, "lib/kleinhirn_loader/version.rb"))

  spec.name = "kleinhirn_loader"
  spec.version = constants[/VERSION = "([^"]+)"/, 1]
  spec.summary = "The Ruby side of the process supervisor kleinhirn"
  spec.description = "Loads an application once and forks kleinhirn's workers from it; lets workers say that they are ready."
  spec.authors = ["the kleinhirn authors"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 2.7"
  spec.files = Dir.chdir(__dir__) { Dir["lib/**/*.rb", "exe/*", "README.md", "LICENSE"] }
  spec.bindir = "exe"
  spec.executables = ["kleinhirn_loader"]
  spec.require_paths = ["lib"]
  spec.extra_rdoc_files = ["README.md"]
  # What an application may call; the rest is the preloader's business.
  spec.rdoc_options = ["--main", "README.md", "--title", "kleinhirn_loader",
                       "--exclude", "kleinhirn_loader/(?!(version|worker)\\.rb)"]
  # Told without loading the gem: a preloader compares it with its own (lib/kleinhirn_loader/gemfile_copy.rb).
  spec.metadata["kleinhirn_protocol"] = constants[/PROTOCOL = (\d+)/, 1]
  spec.metadata["rubygems_mfa_required"] = "true"
end
