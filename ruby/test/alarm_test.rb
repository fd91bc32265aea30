# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/alarm"
require "kleinhirn_loader/time_limit"

class AlarmTest < Minitest::Test
  Alarm = KleinhirnLoader::Alarm

  def setup
    @before = trap("ALRM") { @mine = true }
    @mine = false
  end

  def teardown
    trap("ALRM", @before)
  end

  def ring
    Process.kill(:ALRM, Process.pid)
  end

  def limit(milliseconds)
    KleinhirnLoader::TimeLimit.new(milliseconds)
  end

  def test_it_interrupts_and_leaves_the_applications_trap
    error = assert_raises(Alarm::Rang) { Alarm.during(limit(10)) { sleep } }
    assert_equal "not done within 8 ms", error.message
    ring
    assert @mine
  end

  def test_a_time_that_is_over_rings_at_once
    over = limit(1)
    sleep(0.001) until KleinhirnLoader::Clock.now > over.deadline
    assert_raises(Alarm::Rang) { Alarm.during(over) { sleep } }
  end

  def test_what_comes_after_its_silence_is_no_interruption
    assert_equal(:done, Alarm.during(limit(60_000)) do |alarm|
      alarm.silence
      ring
      :done
    end)
    refute @mine
  end
end
