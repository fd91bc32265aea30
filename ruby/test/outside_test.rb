# frozen_string_literal: true

require_relative "test_helper"

# Outside kleinhirn the API is there and does nothing.
class OutsideTest < Minitest::Test
  def run_ruby(text)
    output = IO.popen([FakeSupervisor::CLEAN, RbConfig.ruby, "-w", "-I#{LIB_FOLDER}", "-e", text, { err: %i[child out] }],
                      &:read)
    [output, $?.exitstatus]
  end

  def test_hooks_are_kept_and_not_run
    output, status = run_ruby(<<~RUBY)
      require "kleinhirn_loader"
      KleinhirnLoader.before_fork { puts "before" }
      KleinhirnLoader.after_fork { |worker| puts "after" }
      Process.wait(fork { puts "forked" })
      p KleinhirnLoader.worker, KleinhirnLoader.rack_app
      p KleinhirnLoader::VERSION, KleinhirnLoader::PROTOCOL
    RUBY
    assert_equal "forked\nnil\nnil\n\"0.1.0\"\n1\n", output
    assert_equal 0, status
  end

  def test_a_hook_needs_a_block
    output, status = run_ruby('require "kleinhirn_loader"; KleinhirnLoader.before_fork')
    assert_match(/KleinhirnLoader.before_fork needs a block \(ArgumentError\)/, output)
    assert_equal 1, status
  end

  def test_an_ack_is_false_and_the_worker_is_nobody
    output, = run_ruby(<<~RUBY)
      require "kleinhirn_loader/worker"
      worker = KleinhirnLoader::Worker.new
      p worker.done, worker.id, worker.set, worker.slot, KleinhirnLoader::Worker.current
    RUBY
    assert_equal "false\nnil\nnil\nnil\nnil\n", output
  end

  def test_what_acks_loads_no_library
    output, = run_ruby(<<~RUBY)
      before = $LOADED_FEATURES.dup
      require "kleinhirn_loader/worker"
      puts ($LOADED_FEATURES - before).reject { |path| path.include?("/kleinhirn_loader/") }
    RUBY
    assert_equal "", output
  end
end
