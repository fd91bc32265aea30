/** Preloaded Ruby workers: shared code, acks, deaths of workers and preloaders, and errors in the application. */
import { describe, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { descriptorsOf } from "../helpers/processes.ts";
import { commandLine, type LogLine, Running } from "../helpers/running.ts";
import { waitUntil } from "../helpers/wait.ts";

const head = `
[supervisor]
name = "app"
[log]
format = "json"
level = "debug"
[health_check]
listen_addr = "127.0.0.1:0"
`;

function set(name: string, expression: string, more = ""): string {
  return `
[workers.${name}]
type = "ruby"
load = "app.rb"
start_expression = '''${expression}'''
${more}
`;
}

const app = `
require "kleinhirn_loader"
LOADED_BY = Process.pid
def serve
  KleinhirnLoader.ack
  sleep
end
`;

const isReady = (line: LogLine) => line.msg === "worker ready";
const isRunning = (line: LogLine) => line.msg === "worker set running";

function pidOf(line: LogLine | undefined): number {
  return Number(line?.pid);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

describe("preloading", () => {
  test("two sets with the same code share one preloader, and all workers are the supervisor's own children", async () => {
    const print = 'puts "loaded by #{LOADED_BY}"; $stdout.flush; serve';
    const toml = head + set("web", print, "count = 3") + set("jobs", print, "count = 1");
    await using s = new Running(toml, { files: { "app.rb": app } });
    await s.waitFor(isRunning, 2);
    const preloaders = s.all("preloader ready");
    expect(preloaders).toHaveLength(1);
    expect(preloaders[0]?.sets).toBe("web,jobs");
    for (const line of s.all(isReady)) expect(parentOf(pidOf(line))).toBe(s.pid);
    await waitUntil(() => s.output.split("\n").filter((line) => line.startsWith("loaded by")).length === 4);
    const loaders = new Set(s.output.trim().split("\n"));
    expect([...loaders]).toEqual([`loaded by ${preloaders[0]?.pid}`]);
    expect((await s.health("/healthz")).status).toBe(200);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("sets that differ in their environment have preloaders of their own", async () => {
    const toml = head + set("web", "serve") + set("jobs", "serve", 'env = { QUEUE = "mail" }');
    await using s = new Running(toml, { files: { "app.rb": app } });
    await s.waitFor(isRunning, 2);
    expect(s.all("preloader ready")).toHaveLength(2);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a killed worker is replaced, its siblings are left alone", async () => {
    await using s = new Running(head + set("web", "serve", "count = 3"), { files: { "app.rb": app } });
    await s.waitFor(isRunning);
    const [first, ...others] = s.all(isReady);
    process.kill(pidOf(first), "SIGKILL");
    await s.waitFor(isRunning, 2);
    const [death, ...more] = s.all("worker died");
    expect(more).toEqual([]);
    expect(death).toMatchObject({ pid: pidOf(first), exit: "signal KILL", was: "ready", asked: false });
    expect(s.all(isReady)).toHaveLength(4);
    for (const other of others) expect(commandLine(pidOf(other))).toContain("web.");
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a preloader that dies is started again; the workers serve on and health stays what they make it", async () => {
    await using s = new Running(head + set("web", "serve", "count = 2"), { files: { "app.rb": app } });
    await s.waitFor(isRunning);
    const before = s.all(isReady).map(pidOf);
    process.kill(pidOf(s.find("preloader ready")), "SIGKILL");
    await s.waitFor("preloader died");
    expect((await s.health("/healthz")).status).toBe(200);
    await s.waitFor("preloader ready", 2);
    expect(s.all("preloader ready")[1]?.generation).toBe(2);
    expect(s.all("worker died")).toEqual([]);
    process.kill(before[0] ?? 0, "SIGKILL");
    await s.waitFor(isReady, 3);
    expect(parentOf(pidOf(s.all(isReady)[2]))).toBe(s.pid);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a worker holds nothing but its own descriptors", async () => {
    await using s = new Running(head + set("web", "serve", "count = 2"), { files: { "app.rb": app } });
    await s.waitFor(isRunning);
    for (const pid of s.all(isReady).map(pidOf)) {
      // It may be ready a moment before it has closed the connection over which it said so.
      await waitUntil(
        () => foreignDescriptors(pid).length === 0,
        () => `${pid} to hold nothing foreign, not ${foreignDescriptors(pid).join(", ")}`,
      );
      expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/null");
    }
    expect(await s.stop()).toBe(0);
  }, 60_000);
});

/** Above standard error, and but for those of Ruby's own timer thread: they belong to the virtual machine. */
function foreignDescriptors(pid: number): readonly string[] {
  return Object.entries(descriptorsOf(pid))
    .filter(([number, target]) => Number(number) > 2 && !/^anon_inode:\[event(fd|poll)\]$/.test(target))
    .map(([, target]) => target);
}

describe("what goes wrong in an application", () => {
  test("a load that raises is one event with the whole backtrace, is tried again, and faults its sets", async () => {
    const broken = 'def deep = raise(ArgumentError, "no such shop")\ndeep\n';
    const toml =
      head + set("web", "serve", 'restart = { intensity = 1, backoff = "1ms" }') + set("jobs", "serve");
    await using s = new Running(toml, { files: { "app.rb": broken } });
    await s.waitFor("worker set faulted", 2);
    const failures = s.all("preloader could not load the code");
    expect(failures).toHaveLength(2);
    expect(failures[0]?.reason).toBe("ArgumentError: no such shop");
    expect(String(failures[0]?.error)).toMatch(/app\.rb:1:in .*deep[\s\S]*app\.rb:2/);
    expect((await s.health("/livez")).status).toBe(503);
    expect(await (await s.health("/healthz")).text()).toMatch(/^unhealthy\nweb: faulted/);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a syntax error and a file that needs what is not there say so", async () => {
    for (const [code, reason] of [
      ["def (", /SyntaxError/],
      ['require "no/such/library"', /LoadError: cannot load such file/],
      ["exit 3", /exit/],
    ] as const) {
      const toml = head + set("web", "serve", "restart = { intensity = 0 }");
      await using s = new Running(toml, { files: { "app.rb": code } });
      await s.waitFor("worker set faulted");
      expect(String(s.find("preloader could not load the code")?.reason)).toMatch(reason);
      expect(await s.stop()).toBe(0);
    }
  }, 60_000);

  test("a Gemfile that does not resolve is one event with what Bundler says", async () => {
    const toml = head + set("web", "serve", 'gemfile = "Gemfile"\nrestart = { intensity = 0 }');
    const files = { "app.rb": app, Gemfile: 'gem "nobody-has-this", "1.0"' };
    await using s = new Running(toml, { files });
    await s.waitFor("worker set faulted");
    const failures = s.all("preloader could not load the code");
    expect(failures).toHaveLength(1);
    expect(String(failures[0]?.reason)).toMatch(
      /^Bundler can't set up .*Gemfile: Bundler::GemNotFound: Could not find gem 'nobody-has-this/,
    );
    expect(String(failures[0]?.error)).toMatch(/bundler\/setup/);
    expect(s.output).toBe("");
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a load that hangs is ended with the backtrace of where it hangs", async () => {
    const toml = head + set("web", "serve", 'load_timeout = "3s"\nrestart = { intensity = 0 }');
    await using s = new Running(toml, { files: { "app.rb": "def stuck = sleep\nstuck\n" } });
    await s.waitFor("worker set faulted");
    expect(s.find("preloader took too long to load")).toBeDefined();
    expect(String(s.find("preloader could not load the code")?.error)).toMatch(/app\.rb:1:in .*stuck/);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("an expression that raises is one event with its backtrace, and a death with status 1", async () => {
    const toml = head + set("web", "Shop.no_such_thing", "restart = { intensity = 0 }");
    await using s = new Running(toml, { files: { "app.rb": `${app}\nmodule Shop; end` } });
    await s.waitFor("worker set faulted");
    const raised = s.all("worker raised an error");
    expect(raised).toHaveLength(1);
    expect(String(raised[0]?.reason)).toContain("no_such_thing");
    expect(s.find("worker died")).toMatchObject({ exit: "status 1", was: "launched" });
    expect(s.output).not.toContain("no_such_thing");
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a worker that never acks is stopped and replaced; the others are left alone", async () => {
    const toml =
      head + set("web", "serve if KleinhirnLoader.worker.slot == 0; sleep", 'count = 2\nack_timeout = "2s"');
    await using s = new Running(toml, { files: { "app.rb": app } });
    await s.waitFor((line) => line.msg === "worker did not ack in time", 2);
    expect(s.all("worker did not ack in time").every((line) => line.slot === 1)).toBe(true);
    expect(s.all(isReady).map((line) => line.slot)).toEqual([0]);
    expect((await s.health("/readyz")).status).toBe(503);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a fork hook that hangs costs one launch, not the supervisor", async () => {
    const hook = `${app}
module Hang
  def _fork
    pid = super
    sleep if pid.zero? && File.exist?("hang") && File.delete("hang")
    pid
  end
end
Process.singleton_class.prepend(Hang)
`;
    const toml =
      head +
      set(
        "web",
        "serve",
        'count = 2\nmax_starting = 1\nlaunch_timeout = "5s"\nrestart = { backoff = "1ms" }',
      );
    await using s = new Running(toml, { files: { "app.rb": hook, hang: "" } });
    await s.waitFor(isRunning);
    expect(s.all("worker launch failed")).toHaveLength(1);
    expect(String(s.find("worker launch failed")?.error)).toMatch(/hook/);
    expect(await s.stop()).toBe(0);
  }, 60_000);

  test("a preloader that hangs in a fork hook is replaced", async () => {
    const hook = `${app}
module Hang
  def _fork
    stick if File.exist?("hang") && File.delete("hang")
    super
  end

  def stick
    sleep
  rescue Exception
    retry
  end
end
Process.singleton_class.prepend(Hang)
`;
    const toml =
      head + set("web", "serve", 'count = 3\nlaunch_timeout = "2s"\nrestart = { backoff = "1ms" }');
    await using s = new Running(toml, { files: { "app.rb": hook, hang: "" } });
    await s.waitFor(isRunning);
    expect(s.all("worker launch timed out")).toHaveLength(1);
    expect(s.all("preloader ready").map((line) => line.generation)).toEqual([1, 2]);
    expect(await s.stop()).toBe(0);
  }, 60_000);
});

describe("stopping preloaded workers", () => {
  test("while the code is loading: nothing is launched, nothing is left", async () => {
    await using s = new Running(head + set("web", "serve"), { files: { "app.rb": "sleep" } });
    await s.waitFor("preloader loading");
    expect(await s.stop()).toBe(0);
    expect(s.find("worker launched")).toBeUndefined();
    expect(s.find("stopped")).toMatchObject({ killed: 0 });
  }, 60_000);

  const deaf = 'trap("TERM") {}\nKleinhirnLoader.after_fork { trap("TERM", "DEFAULT") }';

  test("a preloader that ignores its TERM is killed, with a warning, and counted", async () => {
    await using s = new Running(head + set("web", "serve"), {
      files: { "app.rb": app + deaf },
    });
    await s.waitFor(isRunning);
    expect(await s.stop()).toBe(0);
    expect(s.find("preloader outlasted its grace period")).toMatchObject({ level: "warning" });
    expect(s.find("preloader killed")).toMatchObject({ level: "warning", exit: "signal KILL", asked: true });
    expect(s.find("preloader stopped")).toBeUndefined();
    expect(s.lines.at(-1)).toMatchObject({ level: "warning", msg: "stopped", killed: 1 });
  }, 60_000);

  test("while launches are in flight: no process afterwards", async () => {
    const slow = `${app}\nKleinhirnLoader.before_fork { sleep 0.05 }`;
    await using s = new Running(head + set("web", "serve", "count = 40"), { files: { "app.rb": slow } });
    await s.waitFor(isReady, 3);
    expect(await s.stop()).toBe(0);
    const stoppingAt = s.lines.findIndex((line) => line.msg === "stopping");
    const after = s.lines.slice(stoppingAt).filter(isReady);
    expect(after).toEqual([]);
    expect(s.processes()).toEqual([]);
  }, 60_000);

  test("the supervisor killed with KILL takes workers and preloader with it", async () => {
    const deaf = `${app}\ndef deaf; trap("TERM", "IGNORE"); serve; end`;
    await using s = new Running(head + set("web", "deaf", "count = 4"), { files: { "app.rb": deaf } });
    await s.waitFor(isRunning);
    // With the process that is forked ahead of need.
    await waitUntil(() => s.processes().length === 7);
    await s.stop("SIGKILL");
    await waitUntil(() => s.processes().length === 0);
  }, 60_000);
});
