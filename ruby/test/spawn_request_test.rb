# frozen_string_literal: true

require_relative "test_helper"
require "kleinhirn_loader/spawn_request"

class SpawnRequestTest < Minitest::Test
  GOOD = { "op" => "spawn", "id" => "i", "set" => "web", "slot" => 0, "expression" => "1" }.freeze

  def problem(changes)
    KleinhirnLoader::SpawnRequest.from(GOOD.merge(changes)).problem
  end

  def test_a_good_one
    request = KleinhirnLoader::SpawnRequest.from(GOOD.merge("timeout_ms" => 5, "open_files" => 6, "supervisor_pid" => 7,
                                                            "unknown" => 8))
    assert_nil request.problem
    assert_equal ["i", "web", 0, "1", 5, 6, 7], request.to_a
  end

  def test_defaults
    assert_equal 24_000, KleinhirnLoader::SpawnRequest.from(GOOD).timeout_ms
  end

  def test_each_problem_names_the_key_and_the_value
    assert_equal "slot must be a whole number from 0, not \"1\"", problem("slot" => "1")
    assert_equal "slot must be a whole number from 0, not -1", problem("slot" => -1)
    assert_equal "set must be a string, not nil", problem("set" => nil)
    assert_equal "expression must be a string, not {}", problem("expression" => {})
    assert_equal "timeout_ms must be a whole number above 0, not 0", problem("timeout_ms" => 0)
    assert_equal "open_files must be a whole number above 0, not \"9\"", problem("open_files" => "9")
    assert_equal "supervisor_pid must be a whole number above 0, not 1.5", problem("supervisor_pid" => 1.5)
  end
end
