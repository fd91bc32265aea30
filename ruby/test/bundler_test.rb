# frozen_string_literal: true

require_relative "test_helper"

# Applications with a Gemfile.
class BundlerTest < ProcessTest
  JSON_VERSION = "2.9.1"

  def start(gemfile, text, **options)
    supervisor.start_preloader(load: write_app(text), gemfile: write("Gemfile", gemfile), **options)
    supervisor.expect("ready")
  end

  # What the preloader says of a Gemfile that is no good.
  def failure(gemfile, **options)
    supervisor.start_preloader(load: write_app, gemfile: write("Gemfile", gemfile), **options)
    assert_equal "hello", supervisor.next_message["action"]
    assert_equal "loading", supervisor.next_message["action"]
    error = supervisor.next_message
    assert_equal "error", error["action"]
    assert_nil supervisor.next_line, "the error is the last line"
    assert_equal 1, supervisor.reap(supervisor.preloader).exitstatus
    error
  end

  # What Ruby's own way to set up Bundler gives for a program.
  def by_ruby_itself(program, gemfile)
    command = [RbConfig.ruby, "-rbundler/setup", "-e", program]
    IO.popen(FakeSupervisor::CLEAN.merge("BUNDLE_GEMFILE" => gemfile), command, &:read)
  end

  # A gem in the test's folder.
  def write_gem(name, version, text)
    write("#{name}/#{name}.gemspec", <<~RUBY)
      Gem::Specification.new do |spec|
        spec.name = #{name.inspect}
        spec.version = #{version.inspect}
        spec.summary = spec.authors = "none"
        spec.files = ["lib/#{name}.rb"]
      end
    RUBY
    write("#{name}/lib/#{name}.rb", text)
  end

  def test_a_gemfile_that_does_not_know_the_gem
    write_gem("shop", "1.0", "SHOP = Gem.loaded_specs.fetch('shop').version.to_s")
    start("gem 'shop', path: 'shop'", <<~RUBY)
      require "kleinhirn_loader"
      require "shop"
      KleinhirnLoader.after_fork { tell("hook", true) }
    RUBY
    launch("w1", "KleinhirnLoader.ack; tell('seen', [SHOP, Gem.loaded_specs.keys.include?('kleinhirn_loader')]); sleep")
    assert_equal "w1", supervisor.accept_report.message["id"]
    assert_equal ["1.0", false], told("seen")
    assert told("hook")
  end

  def test_a_frozen_bundle
    write_gem("shop", "1.0", "")
    gemfile = write("Gemfile", "gem 'shop', path: 'shop'")
    # Writes Gemfile.lock.
    assert system(FakeSupervisor::CLEAN.merge("BUNDLE_GEMFILE" => gemfile), RbConfig.ruby, "-rbundler/setup", "-e", "1",
                  err: File::NULL)
    assert_path_exists "#{gemfile}.lock"
    start(File.read(gemfile), "tell('bundler', ENV['BUNDLE_FROZEN'])", env: { "BUNDLE_FROZEN" => "1" })
    assert_equal "1", told("bundler")
  end

  def test_a_gemfile_that_does_not_resolve
    error = failure("gem 'nobody-has-this', '1.0'")
    assert_match(/\ABundler can't set up .*Gemfile: Bundler::GemNotFound: Could not find gem 'nobody-has/, error["message"])
    assert_match(/nobody-has-this.*\n.*\tfrom /m, error["error"])
    assert_equal "", supervisor.stderr
  end

  def test_a_gemfile_that_does_not_resolve_on_a_terminal
    error = failure("gem 'nobody-has-this', '1.0'", env: { "BUNDLER_FORCE_TTY" => "1" })
    assert_match(/Gemfile: Bundler::GemNotFound: Could not find gem 'nobody-has-this/, error["message"])
    assert_match(/Could not find gem 'nobody-has-this.*\(Bundler::GemNotFound\)/, error["error"])
  end

  def test_a_gemfile_that_can_not_be_read
    assert_match(/\ABundler can't set up .*Gemfile: Bundler::Dsl::DSLError: \S.*error parsing/,
                 failure("gem 'shop', (")["message"])
  end

  def test_term_while_bundler_sets_up
    write("shop/shop.gemspec", "#{format(TELL, dir: dir.inspect)}tell('hanging', true)\nsleep\n")
    supervisor.start_preloader(load: write_app, gemfile: write("Gemfile", "gem 'shop', path: 'shop'"))
    supervisor.expect("loading")
    told("hanging")
    Process.kill(:TERM, supervisor.preloader)
    error = supervisor.next_message
    assert_match(/\ABundler's setup was interrupted by SIGTERM, at .*shop\.gemspec:\d+:in .*sleep/, error["message"])
    assert_equal 1, supervisor.reap(supervisor.preloader).exitstatus
  end

  def test_the_environment_is_as_ruby_itself_leaves_it
    names = %w[RUBYOPT RUBYLIB BUNDLE_BIN_PATH BUNDLE_GEMFILE BUNDLER_VERSION BUNDLER_SETUP]
    gemfile = write("Gemfile", "")
    expected = by_ruby_itself("print ENV.to_h.slice(*#{names}).inspect", gemfile)
    assert_includes expected, "bundler/setup"
    start("", "")
    launch("w1", "tell('seen', ENV.to_h.slice(*#{names}).inspect); sleep")
    assert_equal expected, told("seen")
  end

  # The Gemfile is read before Bundler has decided on any gem: what is loaded by then, the application can't choose any more.
  def test_nothing_that_could_be_pinned_is_loaded_before_bundler
    gemfile = write("Gemfile", "File.write(File.join(__dir__, 'loaded'), $LOADED_FEATURES.join(\"\\n\"))")
    by_ruby_itself("1", gemfile)
    without_us = File.readlines(File.join(dir, "loaded"), chomp: true)
    start(File.read(gemfile), "")
    ours = File.readlines(File.join(dir, "loaded"), chomp: true) - without_us
    assert_includes ours, File.join(LIB_FOLDER, "kleinhirn_loader/cli.rb")
    others = ours.reject { |file| file.start_with?(LIB_FOLDER) }
    assert_equal(["socket.so"], others.map { |file| File.basename(file) })
  end

  def test_a_gemfile_that_names_the_gem_itself
    copy = File.join(dir, "vendor")
    FileUtils.cp_r(RUBY_FOLDER, copy)
    FileUtils.rm_f(File.join(copy, "Gemfile.lock"))
    start("gem 'kleinhirn_loader', path: 'vendor'", <<~RUBY)
      Bundler.require
      require "kleinhirn_loader"
      require "kleinhirn_loader/worker"
      KleinhirnLoader.after_fork { |worker| tell("hook", worker.id) }
      tell("copies", $LOADED_FEATURES.map { |path| path[%r{\\A(.*)/kleinhirn_loader(/[a-z_]+)?\\.rb\\z}, 1] }.compact.uniq)
    RUBY
    launch("w1", "KleinhirnLoader::Worker.new.done; sleep")
    assert_equal "w1", supervisor.accept_report.message["id"]
    assert_equal "w1", told("hook")
    assert_equal [LIB_FOLDER], told("copies")
    assert_equal "", supervisor.stderr
  end

  # The stand-in is found before Ruby's own json and hands on to that, so that the preloader still has what it needs.
  def test_a_gemfile_that_pins_another_json
    write_gem("json", "99.0", "JSON_OF_THE_BUNDLE = true\nrequire 'json/common'\nrequire 'json/ext'")
    start("gem 'json', path: 'json'", "")
    launch("w1", "tell('seen', [defined?(JSON_OF_THE_BUNDLE), Gem.loaded_specs.fetch('json').version.to_s]); sleep")
    assert_equal %w[constant 99.0], told("seen")
  end

  def test_an_application_that_sets_up_bundler_by_itself
    write_gem("json", "99.0", "JSON_OF_THE_BUNDLE = true\nrequire 'json/common'\nrequire 'json/ext'")
    gemfile = write("Gemfile", "gem 'json', path: 'json'")
    preload("ENV['BUNDLE_GEMFILE'] = #{gemfile.inspect}\nrequire 'bundler/setup'")
    launch("w1", "tell('seen', defined?(JSON_OF_THE_BUNDLE)); sleep")
    assert_equal "constant", told("seen")
  end

  def test_a_real_json_from_the_registry
    gems = File.join(dir, "gems")
    log = IO.popen([FakeSupervisor::CLEAN, RbConfig.ruby, "-S", "gem", "install", "json", "-v", JSON_VERSION,
                    "--install-dir", gems, "--no-document", { err: %i[child out] }], &:read)
    skip "json #{JSON_VERSION} can't be installed here: #{log.lines.last}" unless $?.success?
    start("gem 'json', '#{JSON_VERSION}'", "", env: { "GEM_PATH" => gems, "GEM_HOME" => gems })
    launch("w1", "tell('seen', [JSON::VERSION, *$LOADED_FEATURES.grep(%r{/json/ext})]); sleep")
    version, *files = told("seen")
    assert_equal JSON_VERSION, version
    assert(files.any? && files.all? { |file| file.start_with?(gems) }, files.inspect)
  end
end
