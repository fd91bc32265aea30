# frozen_string_literal: true

# A supervisor to be killed: starts a preloader and workers in the folder ARGV[0], prints their pids, and waits.
require "json"
require "socket"
require_relative "processes"
require_relative "wait"
require_relative "fake_supervisor"

Processes.become_subreaper
supervisor = FakeSupervisor.new(ARGV.fetch(0))
supervisor.start_preloader(load: ARGV.fetch(1))
supervisor.expect("ready")
workers = Array.new(2) do |slot|
  supervisor.request("w#{slot}", "trap('TERM', 'IGNORE'); File.write('up-#{slot}', ''); sleep", slot: slot)
  pid = supervisor.expect("launched")["pid"]
  Wait.wait_until("worker #{slot}") { File.exist?(File.join(ARGV.fetch(0), "up-#{slot}")) }
  pid
end
$stdout.sync = true
puts JSON.generate([supervisor.preloader, *workers])
sleep
