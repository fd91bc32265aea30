# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/options"

class OptionsTest < Minitest::Test
  Options = KleinhirnLoader::Options
  REQUIRED = %w[--socket @s --name shop --version v --generation 2 --load app.rb].freeze

  def test_what_the_supervisor_says
    options = Options.parse(REQUIRED + %w[--listen-fds 2 --listen-first-fd 5 --listen-names a:b])
    assert_equal ["@s", "shop", "v", 2, "app.rb", 2, 5, "a:b"],
                 options.to_h.values_at(:socket, :name, :version, :generation, :load, :listen_fds, :listen_first_fd,
                                        :listen_names)
    assert_equal Dir.pwd, options.cwd
    assert_equal Process.ppid, options.supervisor_pid
  end

  def test_what_is_optional_is_nil
    assert_equal [nil, nil, nil], Options.parse(REQUIRED).to_h.values_at(:listen_fds, :listen_first_fd, :listen_names)
  end

  def test_mistakes_are_named
    assert_mistake(/--load is missing/, REQUIRED[0..-3])
    assert_mistake(/--load needs a value/, REQUIRED[0..-2])
    assert_mistake(/unknown argument "--wrong"/, REQUIRED + %w[--wrong x])
    assert_mistake(/--listen-fds needs a whole number, not "two"/, REQUIRED + %w[--listen-fds two])
  end

  def assert_mistake(message, arguments)
    error = assert_raises(Options::Invalid) { Options.parse(arguments) }
    assert_match message, error.message
  end
end
