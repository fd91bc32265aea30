# frozen_string_literal: true

require "rbconfig"

# The supervisor's side of the protocol, as far as the gem can tell.
class FakeSupervisor
  include Wait

  EXE = File.expand_path("../../exe/kleinhirn_loader", __dir__)
  LIB = File.expand_path("../../lib", __dir__)
  # The first member of SO_PEERCRED's struct ucred.
  UCRED = "i"
  # A test run under Bundler must not hand its own bundle to the applications.
  CLEAN = ENV.keys.grep(/\A(RUBYOPT|RUBYLIB|BUNDLE.*|BUNDLER.*|GEM_.*|LISTEN_.*|KLEINHIRN_.*)\z/).to_h { |k| [k, nil] }

  # A line that came over a connection of its own, and the pid that opened that, by the kernel's word.
  Report = Struct.new(:message, :pid, :connection, keyword_init: true) do
    def answer(line)
      connection.write(line)
      connection.close
    end
  end

  attr_reader :address, :preloader, :control, :stderr_path, :stdout_path

  def initialize(dir, address: File.join(dir, "supervisor.sock"))
    @dir = dir
    @address = address
    @server = UNIXServer.new(address.sub(/\A@/, "\0"))
    @stderr_path = File.join(dir, "stderr")
    @stdout_path = File.join(dir, "stdout")
    @pids = []
    @seen = []
    @buffer = +""
  end

  def start_preloader(load:, gemfile: nil, env: {}, arguments: [], chdir: @dir, options: {})
    bundler = gemfile ? ["--gemfile", gemfile] : []
    command = [RbConfig.ruby, "-w", "-I#{LIB}", EXE, "--socket", @address, "--name", "shop", "--version", "v7",
               "--generation", "3", "--load", load, *bundler, *arguments]
    variables = CLEAN.merge(gemfile ? { "BUNDLE_GEMFILE" => gemfile } : {}).merge(env)
    @preloader = track(Process.spawn(variables, *command, chdir: chdir, pgroup: true, close_others: true,
                                                          in: File::NULL, err: [@stderr_path, "a"],
                                                          out: [@stdout_path, "a"], **options))
    accept_control
  end

  # The next line of the preloader that has this action and these fields; lines before it are kept in `seen`.
  def expect(action, **fields)
    loop do
      message = next_message
      track(message["pid"]) if message["action"] == "launched"
      return message if message["action"] == action && fields.all? { |key, value| message[key.to_s] == value }

      @seen << message
      raise "the preloader failed: #{message}" if message["action"] == "error"
    end
  end

  # What `expect` passed over.
  attr_reader :seen

  def next_message
    line = next_line or raise "the preloader closed the connection; its stderr: #{stderr}"
    JSON.parse(line)
  end

  # With its newline; nil at the end of the connection.
  def next_line
    until @buffer.include?("\n")
      wait_readable(@control, "the preloader to say something")
      bytes = @control.read_nonblock(65_536, exception: false)
      return nil if bytes.nil?

      @buffer << bytes unless bytes == :wait_readable
    end
    @buffer.slice!(/\A[^\n]*\n/).force_encoding(Encoding::UTF_8)
  end

  def request(id, expression, **fields)
    say({ op: "spawn", id: id, set: "web", slot: 0, expression: expression }.merge(fields))
  end

  def say(message)
    write("#{JSON.generate(message)}\n")
  end

  def write(bytes)
    @control.write(bytes)
  end

  # Accepts a connection that is not the preloader's, and reads its line.
  def accept_report
    wait_readable(@server, "a worker to connect")
    connection = @server.accept
    pid = connection.getsockopt(:SOCKET, :PEERCRED).data.unpack1(UCRED)
    wait_readable(connection, "the worker to say something")
    Report.new(message: JSON.parse(connection.gets), pid: pid, connection: connection)
  end

  # Whether a worker has connected.
  def report?
    !IO.select([@server], nil, nil, 0).nil?
  end

  # Executes a program as the supervisor does for a set of the type `program`: as the leader of its own session.
  def execute(*command, env: {}, **options)
    track(fork do
      Process.setsid
      exec(CLEAN.merge(env), *command, close_others: true, in: File::NULL, err: [@stderr_path, "a"],
                                       out: [@stdout_path, "a"], **options)
    end)
  end

  # Waits for the end of a child and returns its Process::Status.
  def reap(pid)
    status = wait_until("the end of #{pid} (#{Processes.title(pid)})") { Process.wait2(pid, Process::WNOHANG)&.last }
    @pids.delete(pid)
    status
  end

  def track(pid)
    @pids << pid
    pid
  end

  def stderr
    File.exist?(@stderr_path) ? File.read(@stderr_path) : ""
  end

  # Ends what was started here, and returns the titles of those that nobody had announced and that did not go by themselves.
  def end_everything
    end_preloader if @control
    @server.close
    @pids.dup.each do |pid|
      Process.kill(:KILL, pid)
      reap(pid)
    rescue Errno::ESRCH, Errno::ECHILD
      @pids.delete(pid)
    end
    reap_leavers
    Processes.children.map { |pid| end_stray(pid) }
  end

  private

  # Also learns what it has announced and nobody has read yet.
  def end_preloader
    Process.kill(:KILL, @preloader) if @pids.include?(@preloader)
    return if @control.closed?

    while (line = next_line)
      message = JSON.parse(line)
      track(message["pid"]) if message["action"] == "launched"
    end
    @control.close
  end

  def accept_control
    wait_readable(@server, "the preloader to connect")
    @control = @server.accept
  end

  def wait_readable(io, what)
    IO.select([io], nil, nil, LIMIT_SECONDS) or raise TooLong, "waited in vain for #{what}; stderr: #{stderr}"
  end

  # Workers at a gate that will never open go by themselves.
  def reap_leavers
    wait_until("strays to go") do
      loop { break unless Process.wait(-1, Process::WNOHANG) }
      Processes.children.empty?
    end
  rescue Errno::ECHILD, TooLong
    nil
  end

  def end_stray(pid)
    title = Processes.title(pid)
    Process.kill(:KILL, pid)
    Process.wait(pid)
    "#{pid} #{title}"
  end
end
