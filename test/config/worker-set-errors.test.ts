import { describe, expect, test } from "bun:test";
import { loadMessage, loadMessages, programFile } from "./loading.ts";

describe("what the message of a single mistake in a worker set says", () => {
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
