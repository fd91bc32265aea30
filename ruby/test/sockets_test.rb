# frozen_string_literal: true

require_relative "test_helper"

# Inherited sockets (specification section 7).
class SocketsTest < ProcessTest
  GREET = "connection = TCPServer.for_fd(%<fd>d).accept; connection.puts('slot ' + ENV['KLEINHIRN_WORKER_SLOT']); " \
          "connection.close; sleep"

  def setup
    super
    @server = TCPServer.new("127.0.0.1", 0)
  end

  def teardown
    @server.close
    super
  end

  def greeting
    TCPSocket.open("127.0.0.1", @server.local_address.ip_port, &:gets)
  end

  def test_a_worker_serves_on_an_inherited_socket
    preload(arguments: %w[--listen-fds 1 --listen-names web], options: { 3 => @server })
    pid = launch("w1", "tell('env', ENV.to_h.slice('LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_FDS_FIRST_FD')); " \
                       "require 'socket'; #{format(GREET, fd: 3)}", slot: 2)
    assert_equal({ "LISTEN_PID" => pid.to_s, "LISTEN_FDS" => "1", "LISTEN_FDNAMES" => "web" }, told("env"))
    assert_equal "slot 2\n", greeting
  end

  def test_sockets_at_other_numbers_and_what_the_worker_starts
    preload(arguments: %w[--listen-fds 2 --listen-first-fd 7], options: { 7 => @server, 8 => @server })
    pid = launch("w1", "tell('env', ENV.to_h.select { |name, _| name.start_with?('LISTEN_') }); " \
                       "tell('program', `ls -l /proc/self/fd`); require 'socket'; #{format(GREET, fd: 8)}")
    assert_equal({ "LISTEN_PID" => pid.to_s, "LISTEN_FDS" => "2", "LISTEN_FDS_FIRST_FD" => "7" }, told("env"))
    assert_equal(%w[7 8], told("program").scan(/(\d+) -> socket:/).flatten)
    assert_equal "slot 0\n", greeting
  end

  def test_each_worker_has_its_own_pid_in_it
    preload(arguments: %w[--listen-fds 1 --listen-first-fd 3], options: { 3 => @server })
    pids = Array.new(3) { |n| launch("w#{n}", "tell('pid#{n}', ENV['LISTEN_PID'].to_i); sleep", slot: n) }
    assert_equal(pids, Array.new(3) { |n| told("pid#{n}") })
  end

  def test_the_preloader_has_no_such_variables
    preload("tell('env', ENV.keys.grep(/LISTEN/))", arguments: %w[--listen-fds 1], options: { 3 => @server })
    assert_empty told("env")
  end
end
