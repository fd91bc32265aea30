# frozen_string_literal: true

# What /proc says, and what Ruby has no method for.
module Processes
  PRCTL = { "x86_64" => 157, "aarch64" => 167 }.fetch(RUBY_PLATFORM[/\A[^-]+/])
  PR_SET_CHILD_SUBREAPER = 36

  module_function

  def become_subreaper
    verbose = $VERBOSE
    $VERBOSE = nil
    Kernel.syscall(PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
  ensure
    $VERBOSE = verbose
  end

  # State, parent and session; nil if there is no such process.
  def stat(pid)
    fields = File.read("/proc/#{pid}/stat").rpartition(") ").last.split
    { state: fields[0], parent: fields[1].to_i, session: fields[3].to_i }
  rescue Errno::ENOENT, Errno::ESRCH
    nil
  end

  def alive?(pid)
    stat = stat(pid)
    !stat.nil? && stat[:state] != "Z"
  end

  # Zombies included.
  def children(parent = Process.pid)
    Dir.children("/proc").grep(/\A\d+\z/).map(&:to_i).select { |pid| (stat(pid) || {})[:parent] == parent }
  end

  def title(pid)
    File.read("/proc/#{pid}/cmdline").delete("\0").strip
  rescue Errno::ENOENT, Errno::ESRCH
    "?"
  end

  # Descriptor numbers and what they are.
  def descriptors(pid)
    Dir.children("/proc/#{pid}/fd").to_h { |fd| [fd.to_i, link("/proc/#{pid}/fd/#{fd}")] }.compact
  end

  def link(path)
    File.readlink(path)
  rescue Errno::ENOENT
    nil
  end

  # `SigBlk`, `SigIgn`, `SigCgt` … as numbers.
  def signals(pid)
    File.readlines("/proc/#{pid}/status").grep(/\ASig[A-Z][a-z]+:/).to_h do |line|
      name, mask = line.split(":")
      [name, mask.strip.to_i(16)]
    end
  end
end
