# frozen_string_literal: true

require_relative "test_helper"

# `load = "config.ru"`.
class RackTest < ProcessTest
  # Just enough of Rack::Builder, as Rack 3 and Rack 2 answer.
  BUILDER = <<~RUBY
    module Rack
      class Builder
        def self.parse_file(path)
          builder = new
          builder.instance_eval(File.read(path), path)
          %s
        end
        attr_reader :app
        def run(app) @app = app end
      end
    end
  RUBY

  RACKUP = <<~RUBY
    require "kleinhirn_loader"
    KleinhirnLoader.after_fork { |worker| $slot = worker.slot }
    run ->(env) { [200, {}, [$slot.to_s, env["PATH"]]] }
  RUBY

  def start(builder, text = RACKUP)
    write("fake/rack.rb", "")
    write("fake/rack/builder.rb", builder)
    rackup = write("config.ru", text)
    supervisor.start_preloader(load: rackup, env: { "RUBYLIB" => File.join(dir, "fake") })
  end

  def answer
    launch("w1", "#{format(TELL, dir: dir.inspect)}tell('answer', KleinhirnLoader.rack_app.call('PATH' => '/a')); sleep",
           slot: 2)
    told("answer")
  end

  def test_rack_3_answers_with_the_application
    start(format(BUILDER, "builder.app"))
    supervisor.expect("ready")
    assert_equal [200, {}, %w[2 /a]], answer
  end

  def test_rack_2_answers_with_the_application_and_options
    start(format(BUILDER, "[builder.app, { Port: 1 }]"))
    supervisor.expect("ready")
    assert_equal [200, {}, %w[2 /a]], answer
  end

  def test_without_rack_the_error_says_what_to_do
    rackup = write("config.ru", "run nil")
    supervisor.start_preloader(load: rackup, gemfile: write("Gemfile", ""))
    supervisor.expect("loading")
    error = supervisor.next_message
    assert_equal "error", error["action"]
    assert_match(/config\.ru can't be loaded without the gem rack: name it in the Gemfile/, error["message"])
  end

  def test_an_exception_in_config_ru
    start(format(BUILDER, "builder.app"), "run nil\nraise 'broken rackup'")
    supervisor.expect("loading")
    error = supervisor.next_message
    assert_equal "RuntimeError: broken rackup", error["message"]
    assert_match(/config\.ru:2:in/, error["error"])
  end
end
