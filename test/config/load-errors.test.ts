import { describe, expect, test } from "bun:test";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import type { FakeMachine } from "./fake-world.ts";
import { loadErrors, loadMessages, programFile, rubyFile } from "./loading.ts";

/** The one message that the file gives. */
function loadMessage(text: string | Uint8Array, machine?: FakeMachine): string {
  const messages = loadMessages(text, machine);
  expect(messages).toHaveLength(1);
  return messages[0] ?? "";
}

describe("what the message of a single mistake says", () => {
  test.each([
    // A wrong type, for each type that TOML has.
    [
      "count = '3'",
      `count: expected an integer from 1 to 1000, or "auto", found "3" (a string); write it without quotes`,
    ],
    ["count = 2.5", 'expected an integer from 1 to 1000, or "auto", found 2.5 (a float)'],
    ["count = nan", "found NaN (a float)"],
    ["count = true", "found true (a boolean)"],
    ["count = []", "found an array"],
    ["count = [{}]", "found an array of tables"],
    ["count = {}", "found a table"],
    ["count = 1979-05-27", "found 1979-05-27 (a date)"],
    ["count = 07:32:00", "found 07:32:00.000 (a time)"],
    ["count = 1979-05-27T07:32:00Z", "found 1979-05-27T07:32:00.000Z (a date and time)"],
    ["count = 99999999999999999999999", "found an integer beyond 2^53"],
    // Numbers out of range.
    ["count = 0", "found 0 (an integer)"],
    ["count = 1001", "found 1001 (an integer)"],
    ["count = -1", "found -1 (an integer)"],
    ["max_starting = 0", "max_starting: expected an integer from 1 to 1000, found 0"],
    ["open_files = 3", "open_files: expected an integer from 16 to"],
    ["min_ready = -1", "min_ready: expected an integer from 0 to 1000, found -1"],
    ["count = 2\nmin_ready = 3", "min_ready: expected at most count, which is 2, found 3"],
    ['count = "auto"\nmin_ready = 5', "min_ready: expected at most count, which is 4, found 5"],
    ["restart.intensity = -1", "restart.intensity: expected an integer from 0"],
    // Durations.
    [
      "stop_timeout = 10",
      'stop_timeout: expected a duration such as "10s" or "2m 30s", found 10 (an integer); write "10s"',
    ],
    ['stop_timeout = "10"', 'found "10"; add a unit, such as "10s"'],
    ['stop_timeout = "0s"', 'stop_timeout: expected a duration above zero, such as "10s", found "0s"'],
    ['ack_timeout = "0s"', "ack_timeout: expected a duration above zero"],
    ['launch_timeout = "0ms"', "launch_timeout: expected a duration above zero"],
    ['restart.period = "0s"', "restart.period: expected a duration above zero"],
    [
      'restart.backoff = "20s"',
      "restart.backoff: expected at most backoff_max, which is 10s, found 20s; raise backoff_max",
    ],
    [
      'restart.backoff_max = "50ms"',
      "restart.backoff_max: expected at least backoff, which is 100ms, found 50ms; lower backoff too",
    ],
    ['stop_timeout = "26s"', "stop_timeout: expected at most 25s, which is shutdown_timeout, found 26s"],
    // Words.
    [
      'ack = "messages"',
      'ack: expected "message" or "none", found "messages" (a string); did you mean "message"?',
    ],
    ['ack = "notify"', "this version of kleinhirn doesn't have that yet"],
    [
      'prewarm = "App.warm"',
      'expected only keys that this version of kleinhirn has, found "prewarm", which comes later; remove it',
    ],
    [
      'ack = "none"\nack_workers = true',
      'ack_workers: expected what ack = "none" says, or nothing, found true; ack alone is enough',
    ],
    ['ack_workers = "yes"', "ack_workers: expected true or false"],
    ['stop_signal = "KILL"', "no program can catch KILL"],
    ['stop_signal = "SIGSTOP"', "no program can catch STOP"],
    ['stop_signal = "term"', "stop_signal: expected a signal that a worker can handle: TERM, INT,"],
    ['stop_signal = "sigterm"', 'did you mean "TERM"?'],
    ["stop_signal = 15", "found 15 (an integer)"],
    // Unknown keys.
    ["comand = []", `unknown key "worker.comand"; did you mean "worker.cmdline"?`],
    ["replicas = 3", 'unknown key "worker.replicas"; did you mean "worker.count"?'],
    ["intensity = 3", 'unknown key "worker.intensity"; did you mean "worker.restart.intensity"?'],
    [
      'shutdown_timeout = "1s"',
      'unknown key "worker.shutdown_timeout"; did you mean "supervisor.shutdown_timeout"?',
    ],
    ["restrat = {}", 'unknown key "worker.restrat"; did you mean "worker.restart"?'],
    ["restart.perod = '1s'", 'unknown key "worker.restart.perod"; did you mean "worker.restart.period"?'],
    ["zzzzzz = 1", 'unknown key "worker.zzzzzz"'],
    ["__proto__ = 1", 'unknown key "worker.__proto__"'],
    ["constructor = 1", 'unknown key "worker.constructor"'],
    ['"a\\u001b[31m" = 1', 'unknown key "worker."a\\u001b[31m""'],
    [
      "restart = 3",
      'restart: expected a table, such as { intensity = 5, period = "1m" }, found 3 (an integer)',
    ],
    // Keys of the other type.
    [
      'load = "app.rb"',
      'load: expected only keys of a set of type "program", found a key of type "ruby"; remove it, or set type = "ruby"',
    ],
    // The environment.
    ["env = 3", "env: expected a table of strings"],
    ["env.PORT = 3000", "worker.env.PORT: expected a string, found an integer; put it in quotes"],
    ["env.DEBUG = true", "worker.env.DEBUG: expected a string, found a boolean; put it in quotes"],
    ["env.a.b = 'x'", "worker.env.a: expected a string, found a table; variables aren't nested"],
    ["env = { \"A=B\" = '1' }", 'worker.env."A=B": expected the name of a variable, without "=" and NUL'],
    ["env = { \"\" = '1' }", 'worker.env."": expected the name of a variable'],
    ["env = { \"A\\u0000\" = '1' }", "expected the name of a variable"],
    ['env.A = "x\\u0000"', "worker.env.A: expected a string without NUL characters"],
    ["env.KLEINHIRN_SOCKET = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    ["env.LISTEN_FDS = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    ["env.LISTEN_PID = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    ["env.LISTEN_FDNAMES = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    ["env.LISTEN_FDS_FIRST_FD = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    ["env.NOTIFY_SOCKET = 'x'", "expected a variable that kleinhirn doesn't set itself"],
    // Folders.
    ['cwd = ""', "cwd: expected a path, found an empty string"],
    ['cwd = "a\\u0000b"', "cwd: expected a path without NUL characters"],
    [
      'cwd = "nowhere"',
      'cwd: expected a folder that can be entered, found "/srv/shop/nowhere", which isn\'t there (ENOENT)',
    ],
    [
      'cwd = "app.rb"',
      'cwd: expected a folder that can be entered, found "/srv/shop/app.rb", which is no folder',
    ],
    ['cwd = "/closed"', 'found "/closed", which may not be entered'],
  ])("%s", (extra, message) => {
    const text = programFile(extra);
    const shown = loadMessage(text, { folders: ["/closed"], closed: ["/closed"] });
    expect(shown).toContain(message);
    // The key stands after the six lines of the sound file, on the last of the lines that were added.
    expect(shown).toStartWith(`shop.toml:${7 + extra.split("\n").length - 1}: `);
  });

  test.each([
    ["[supervisor]", "supervisor.name: expected a value (name), found none; this key is required", 1],
    ['[supervisor]\nname = ""', "supervisor.name: expected a name: 1 to 64 letters", 2],
    ['[supervisor]\nname = "a/b"', 'found "a/b" (a string); "a-b" would do', 2],
    ['[supervisor]\nname = "a\\nb"', 'found "a\\nb" (a string); "a-b" would do', 2],
    ['[supervisor]\nname = "a\\u0000"', '"a" would do', 2],
    ['[supervisor]\nname = "-f"', '"f" would do', 2],
    ['[supervisor]\nname = "ä"', "supervisor.name: expected a name", 2],
    [`[supervisor]\nname = "${"n".repeat(65)}"`, "supervisor.name: expected a name", 2],
    ["[supervisor]\nname = 3", "supervisor.name: expected a name", 2],
    ["supervisor = 3", 'supervisor: expected a table, such as { name = "shop" }, found 3 (an integer)', 1],
    ["[[supervisor]]", "found an array of tables; write its header in single brackets", 1],
    [
      'supervisor.name = "a"\nsupervisor.sockt = "x"',
      'unknown key "supervisor.sockt"; did you mean "supervisor.socket"?',
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.socket = "@"',
      'supervisor.socket: expected a name after the "@", found "@"',
      2,
    ],
    ['supervisor.name = "a"\nsupervisor.socket = ""', "supervisor.socket: expected a path, or", 2],
    [
      'supervisor.name = "a"\nsupervisor.socket = "nowhere/s.sock"',
      'expected a path in a folder that exists, found "/srv/shop/nowhere/s.sock"',
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.socket = "/tmp"',
      'expected the path of a socket, found "/tmp", a folder',
      2,
    ],
    [
      `supervisor.name = "a"\nsupervisor.socket = "/tmp/${"s".repeat(103)}"`,
      "expected a socket path of at most 107 bytes, the kernel's limit, found 108 bytes",
      2,
    ],
    [`supervisor.name = "a"\nsupervisor.socket = "@${"ä".repeat(54)}"`, "found 108 bytes", 2],
    [
      'supervisor.name = "a"\nsupervisor.version = ""',
      "supervisor.version: expected a version, found an empty string",
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.version = "1\\n2"',
      "expected a version without control characters",
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.on_fault = "die"',
      'supervisor.on_fault: expected "stay" or "exit", found "die"',
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.shutdown_timeout = "0s"',
      "supervisor.shutdown_timeout: expected a duration above zero",
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.drain_delay = "25s"',
      "supervisor.drain_delay: expected less than shutdown_timeout, which is 25s, found 25s",
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.drain_delay = "16s"',
      "supervisor.drain_delay: expected drain_delay (16s) and stop_timeout (10s by default) within shutdown_timeout (25s), found too little time",
      2,
    ],
    [
      'supervisor.name = "a"\nsupervisor.shutdown_timeout = "9s"',
      "supervisor.shutdown_timeout: expected drain_delay (0s) and stop_timeout (10s by default) within shutdown_timeout (9s), found too little time",
      2,
    ],
    ['supervisor.name = "a"\n[health]\nx = 1', 'unknown key "health"; did you mean "health_check"?', 2],
    ['supervisor.name = "a"\n[health_check]\nlisten_addr = "localhost:3000"', 'write "127.0.0.1:3000"', 3],
    [
      'supervisor.name = "a"\n[health_check]\nlisten_addr = "unix:nowhere/h"',
      "health_check.listen_addr: expected a path in a folder that exists",
      3,
    ],
    [
      `supervisor.name = "a"\n[health_check]\nlisten_addr = "unix:/tmp/${"h".repeat(103)}"`,
      "found 108 bytes",
      3,
    ],
    [
      'supervisor = { name = "a", socket = "/tmp/s" }\n[health_check]\nlisten_addr = "unix:/tmp/s"',
      "expected another socket than supervisor.socket",
      3,
    ],
    [
      'supervisor.name = "a"\n[health_check]\nendpoint = "/readyz"',
      "health_check.endpoint: expected a path other than /livez and /readyz",
      3,
    ],
    ['supervisor.name = "a"\n[health_check]\nendpoint = "healthz"', 'it begins with "/"', 3],
    ['supervisor.name = "a"\n[log]\nlevel = "warn"', 'did you mean "warning"?', 3],
    [
      'supervisor.name = "a"\n[log]\noutput = "syslog"',
      'log.output: expected "stderr" or "stdout", found "syslog"',
      3,
    ],
    [
      'supervisor.name = "a"\n[log]\nformat = "human"',
      'log.format: expected "logfmt" or "json", found "human"',
      3,
    ],
    [
      'supervisor.name = "a"\n[log]\nformat = {}',
      'log.format.format: expected "logfmt" or "json", found none',
      3,
    ],
    [
      'supervisor.name = "a"\n[log.format]\nformat = "json"\nprint_prefix = true',
      "log.format.print_prefix: expected false with",
      4,
    ],
    [
      'supervisor.name = "a"\n[log.format]\nformat = "logfmt"\nprefix = true',
      'unknown key "log.format.prefix"',
      4,
    ],
    ['name = "a"\nsupervisor.name = "a"', 'unknown key "name"; did you mean "supervisor.name"?', 1],
  ])("%s", (head, message, line) => {
    const text = `${head}\n[worker]\ntype = "program"\ncmdline = ["sleep", "1"]\n`;
    expect(loadMessage(text)).toContain(message);
    expect(loadMessage(text)).toStartWith(`shop.toml:${line}: `);
  });

  test("a default socket path that is too long names the folder that makes it so", () => {
    const env = { XDG_RUNTIME_DIR: `/run/${"x".repeat(100)}` };
    const message = loadMessage(programFile(), { env });
    expect(message).toStartWith(
      "shop.toml:1: supervisor.socket: expected a socket path of at most 107 bytes",
    );
    expect(message).toContain("found 125 bytes by default");
    expect(message).toContain("set supervisor.socket");
  });
});

describe("which program is refused", () => {
  const withCommand = (cmdline: string, extra = ""): string =>
    programFile(extra).replace('["sleep", "60"]', cmdline);

  test.each([
    ["[]", "worker.cmdline: expected an array of strings", "found an empty array"],
    ['"sleep 60"', "worker.cmdline: expected an array of strings", "no shell splits it"],
    ['[""]', "worker.cmdline[0]: expected the name or path of a program", "found an empty string"],
    ['["sleep", 60]', "worker.cmdline[1]: expected a string, found 60 (an integer)", 'quote it: "60"'],
    ['["sleep", "a\\u0000"]', "worker.cmdline[1]: expected a string without NUL characters", ""],
    [
      '["slep"]',
      "worker.cmdline: expected a program that can be executed",
      '"slep", which is in no folder of PATH',
    ],
    [
      '["./serve"]',
      "worker.cmdline: expected a program",
      '"./serve" at "/srv/shop/serve", which isn\'t there (ENOENT)',
    ],
    ['["/srv/shop"]', "worker.cmdline: expected a program", '"/srv/shop", which is a folder'],
    [
      '["/srv/shop/app.rb"]',
      "worker.cmdline: expected a program",
      '"/srv/shop/app.rb", which isn\'t executable',
    ],
  ])("%s", (cmdline, expected, found) => {
    const message = loadMessage(withCommand(cmdline));
    expect(message).toStartWith(`shop.toml:6: ${expected}`);
    expect(message).toContain(found);
  });

  test("a wrong argument, variable or folder doesn't hide a program that isn't there", () => {
    const messages = loadMessages(withCommand('["slep", 1]', 'env.A = 1\ncwd = "nowhere"'));
    expect(messages).toHaveLength(4);
    expect(messages.join()).toContain('"slep", which is in no folder of PATH');
  });

  test("nothing is said of a program in a folder that is wrong itself", () => {
    expect(loadMessage(withCommand('["./serve"]', 'cwd = "nowhere"'))).toContain("worker.cwd");
  });
});

describe("ruby sets", () => {
  const without = (key: string): string =>
    rubyFile()
      .split("\n")
      .filter((line) => !line.startsWith(`${key} =`))
      .join("\n");

  test.each(["load", "start_expression"])("%s is required", (key) => {
    expect(loadMessage(without(key))).toBe(
      `shop.toml:4: worker.${key}: expected a value (string), found none; this key is required`,
    );
  });

  test.each([
    [
      '"app.rb"',
      '"lib.rb"',
      '7: worker.load: expected a file that can be read, found "/srv/shop/lib.rb", which isn\'t there',
    ],
    [
      '"app.rb"',
      '"/tmp"',
      '7: worker.load: expected a file that can be read, found "/tmp", which is a folder',
    ],
    ['"app.rb"', '"closed.rb"', 'found "/srv/shop/closed.rb", which may not be read'],
    ['"Gemfile"', '"Gmfile"', "6: worker.gemfile: expected a file that can be read"],
    ['"Shop.run"', '""', "worker.start_expression: expected a Ruby expression, found an empty string"],
    ['"Shop.run"', '" \\n"', "found only white space"],
    ['"Shop.run"', '"x"\nload_timeout = "0s"', "worker.load_timeout: expected a duration above zero"],
    ['"Shop.run"', '"x"\ncmdline = ["x"]', '9: worker.cmdline: expected only keys of a set of type "ruby"'],
  ])("%s instead of %s", (right, wrong, message) => {
    const machine = { files: { "/srv/shop/closed.rb": "" }, closed: ["/srv/shop/closed.rb"] };
    expect(loadMessage(rubyFile().replace(right, wrong), machine)).toContain(message);
  });

  test("there must be a ruby", () => {
    const message = loadMessage(rubyFile("env.PATH = '/opt'"));
    expect(message).toStartWith("shop.toml:5: worker.type: expected a program that can be executed");
    expect(message).toContain('"ruby", which is in no folder of PATH');
  });

  test("without a type, what is written is still checked", () => {
    expect(loadMessages(`${without("type")}cmdline = 3\nload_timeout = 5`)).toEqual([
      'shop.toml:4: worker.type: expected a value ("program", "ruby"), found none; this key is required',
      expect.stringContaining("shop.toml:9: worker.cmdline: expected an array of strings"),
      expect.stringContaining("shop.toml:10: worker.load_timeout: expected a duration"),
    ]);
  });
});

describe("one set or several", () => {
  const head = '[supervisor]\nname = "shop"\n';
  const set = 'type = "program"\ncmdline = ["sleep", "1"]\n';

  test.each([
    [head, "shop.toml: worker: expected a table [worker], or [workers.NAME], found none"],
    [`${head}[workers]`, "shop.toml:3: workers: expected at least one table [workers.NAME], found none"],
    [
      `${head}[worker]\n${set}[workers.web]\n${set}`,
      "shop.toml:6: workers: expected either [worker] or [workers.NAME], found both",
    ],
    [`${head}[[workers.web]]\n${set}`, "shop.toml:3: workers.web: expected a table"],
    [`worker = 1\n${head}`, "shop.toml:1: worker: expected a table"],
    [`workers = 1\n${head}`, "shop.toml:1: workers: expected a table"],
    [`${head}[workers."a/b"]\n${set}`, 'shop.toml:3: workers."a/b": expected a name'],
    [
      `${head}[workers.web]\n${set}kount = 2`,
      'unknown key "workers.web.kount"; did you mean "workers.web.count"?',
    ],
    [`${head}[workers.web]\n${set}period = "1s"`, 'did you mean "workers.web.restart.period"?'],
    [
      `${head}[workers.web]\ntype = "program"\ncmdlin = ["x"]\ncmdline = ["sleep"]`,
      'did you mean "workers.web.cmdline"?',
    ],
  ])("%j", (text, message) => {
    expect(loadMessage(text)).toContain(message);
  });

  test("a stop that is too short for several sets is told once", () => {
    const text = `supervisor = { name = "s", shutdown_timeout = "1s" }\n[workers.a]\n${set}[workers.b]\n${set}`;
    expect(loadMessage(text)).toStartWith("shop.toml:1: supervisor.shutdown_timeout: ");
  });

  test("an empty file lacks everything at once", () => {
    expect(loadMessages("")).toEqual([
      "shop.toml: supervisor.name: expected a value (name), found none; this key is required",
      "shop.toml: worker: expected a table [worker], or [workers.NAME], found none",
    ]);
  });
});

test("a drain delay and a grace period that don't fit together", () => {
  const text = programFile('stop_timeout = "16s"').replace(
    'name = "shop"',
    'name = "shop"\ndrain_delay = "10s"',
  );
  expect(loadMessage(text)).toBe(
    "shop.toml:8: worker.stop_timeout: expected at most 15s, which is shutdown_timeout (25s) less drain_delay (10s), found 16s",
  );
});

test("no message shows the value of a variable", () => {
  const messages = loadMessages(
    programFile('env.A = 123456789\nenv.B = "secret\\u0000"\nenv.C = ["secret"]'),
  );
  expect(messages).toHaveLength(3);
  expect(messages.join("\n")).not.toMatch(/secret|123456789/);
});

test("text that isn't TOML is the only error", () => {
  expect(loadMessage("[worker]\ncount = \nnonsense = 1")).toStartWith(
    "shop.toml:2: expected valid TOML, found unexpected character",
  );
  expect(loadMessage(new Uint8Array([0x61, 0xff]))).toBe(
    "shop.toml:1: expected valid TOML, found text that is not UTF-8, at byte 1 of the file",
  );
});

test("ten mistakes give ten errors, in the order of the file", () => {
  const text = `
[supervisor]
name = "my shop"
shutdown_timeout = 30

[health_check]
listen_addr = "3000"
endpiont = "/up"

[workers.web]
type = "program"
cmdline = ["sleeep", "1"]
count = 0
env.PORT = 3000

[workers.jobs]
type = "ruby"
load = "jobs.rb"
start_expression = "Jobs.run"
stop_signal = "KILL"
restart = { backoff = "1 minute" }
`;
  const errors = loadErrors(text);
  expect(errors.map(({ line, key }) => `${line} ${key}`)).toEqual([
    "3 supervisor.name",
    "4 supervisor.shutdown_timeout",
    "7 health_check.listen_addr",
    "8 health_check.endpiont",
    "12 workers.web.cmdline",
    "13 workers.web.count",
    "14 workers.web.env.PORT",
    "18 workers.jobs.load",
    "20 workers.jobs.stop_signal",
    "21 workers.jobs.restart.backoff",
  ]);
  expect(formatConfigErrors(errors).split("\n")).toHaveLength(errors.length);
});
