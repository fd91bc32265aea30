import { describe, expect, test } from "bun:test";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import { loadErrors, loadMessage, loadMessages, programFile } from "./loading.ts";

describe("what the message of a single mistake outside the worker sets says", () => {
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
