# frozen_string_literal: true

require_relative "test_helper"

# The heap is settled once, after loading and before the first fork: what is done to it later is done in each worker.
class HeapTest < ProcessTest
  MAJORS = "GC.stat(:major_gc_count)"

  # Nothing but an explicit collection happens while the collector is disabled, and after a major one there is no reason
  # left to make a major one of a minor one: so none is there by chance.
  def test_a_major_collection_before_the_first_fork
    preload(<<~RUBY)
      GC.disable
      require "kleinhirn_loader"
      require "json"
      GC.start
      tell("loaded", #{MAJORS})
      KleinhirnLoader.before_fork { tell("forking", #{MAJORS}) unless File.exist?(File.join(#{dir.inspect}, "forking")) }
    RUBY
    launch("w1", "tell('first', #{MAJORS}); sleep")
    launch("w2", "tell('second', #{MAJORS}); sleep", slot: 1)
    assert_operator told("forking"), :>, told("loaded")
    assert_equal [told("forking")] * 2, [told("first"), told("second")]
  end

  # Ruby has it from 3.3 on.
  def test_the_warmup_of_ruby_where_it_has_one
    preload(<<~RUBY)
      require "kleinhirn_loader"
      EVENTS = []
      Process.define_singleton_method(:warmup) { EVENTS << "warmup" }
      KleinhirnLoader.before_fork { EVENTS << "before fork" }
      EVENTS << "loaded"
    RUBY
    launch("w1", "tell('first', EVENTS); sleep")
    launch("w2", "tell('second', EVENTS); sleep", slot: 1)
    assert_equal ["loaded", "warmup", "before fork"], told("first").first(3)
    assert_equal 1, told("second").count("warmup")
  end

  def test_only_the_warmup_where_ruby_has_one
    preload("GC.disable\nProcess.define_singleton_method(:warmup) { true }\nrequire 'json'\ntell('loaded', #{MAJORS})")
    launch("w1", "tell('first', #{MAJORS}); sleep")
    assert_equal told("loaded"), told("first")
  end
end
