/**
 * Each wrong input has a message and a status of its own, and nothing is started. What the address, the socket, inherited
 * descriptors and strangers get is in health, socket-place, inherited-sockets and acks.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Running, type StartOptions } from "../helpers/running.ts";
import { cmdline, common, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

type Refusal = { readonly status: number; readonly errors: readonly string[]; readonly summary: string };

/** Runs until it refuses, and makes sure that it has left no trace. */
async function refuse(toml: string, options: StartOptions = {}): Promise<Refusal> {
  await using running = new Running(toml, options);
  const before = new Set(["kleinhirn.toml", ...Object.keys(options.files ?? {})]);
  const status = await running.exited();
  expect(running.lines).toEqual([]);
  expect(Buffer.concat(running.bytes.stdout).toString()).toBe("");
  expect(readdirSync(running.folder).filter((name) => !before.has(name))).toEqual([]);
  const errors = running.output.replaceAll(`${running.folder}/`, "").trimEnd().split("\n");
  return { status, errors, summary: errors.pop() ?? "" };
}

test("a configuration with ten mistakes: ten errors at once, each with its line and key; exit 78", async () => {
  const { status, errors, summary } = await refuse(`[supervisor]
nmae = "shop"
on_fault = "explode"
shutdown_timeout = "5"

[health_check]
listen_addr = "localhost:http"

[log]
level = "loud"

[workers.web]
type = "program"
cmdline = ["/no/such/program"]
count = 0
restart = { period = "0s" }

[workers.jobs]
type = "ruby"
load = "missing.rb"
start_expression = "1"
`);
  expect(status).toBe(78);
  expect(errors.map((error) => error.split(": expected")[0])).toEqual([
    "kleinhirn.toml:1: supervisor.name",
    'kleinhirn.toml:2: unknown key "supervisor.nmae"; did you mean "supervisor.name"?',
    "kleinhirn.toml:3: supervisor.on_fault",
    "kleinhirn.toml:4: supervisor.shutdown_timeout",
    "kleinhirn.toml:7: health_check.listen_addr",
    "kleinhirn.toml:10: log.level",
    "kleinhirn.toml:14: workers.web.cmdline",
    "kleinhirn.toml:15: workers.web.count",
    "kleinhirn.toml:16: workers.web.restart.period",
    "kleinhirn.toml:20: workers.jobs.load",
  ]);
  expect(errors[3]).toContain('found "5"; add a unit, such as "5s"');
  expect(summary).toBe("kleinhirn: 10 errors in the configuration; nothing was started");
});

/** A sound configuration but for the lines of its one worker set, of which the first is the eleventh. */
function worker(lines: string): string {
  return `${supervisor().trimEnd()}\n[worker]\n${lines}\n`;
}

const sleep = 'type = "program"\ncmdline = ["sleep", "1000"]';

test.each([
  [
    "a program that is not there",
    'type = "program"\ncmdline = ["./gone"]',
    "worker.cmdline",
    /"\.\/gone" at "gone", which isn't there \(ENOENT\)/,
  ],
  [
    "a program that is in no folder of PATH",
    'type = "program"\ncmdline = ["no-such-program"]',
    "worker.cmdline",
    /which is in no folder of PATH/,
  ],
  [
    "a program that is a folder",
    'type = "program"\ncmdline = ["/etc"]',
    "worker.cmdline",
    /"\/etc", which is a folder/,
  ],
  [
    "a program that may not be executed",
    'type = "program"\ncmdline = ["/etc/passwd"]',
    "worker.cmdline",
    /which isn't executable/,
  ],
  ["an empty command line", 'type = "program"\ncmdline = []', "worker.cmdline", /expected/],
  ["no command line", 'type = "program"', "worker.cmdline", /required/],
  [
    "an unknown type",
    'type = "java"\ncmdline = ["sleep"]',
    "worker.type",
    /expected .*"program".*found "java"/,
  ],
  ["a working directory that is not there", `${sleep}\ncwd = "gone"`, "worker.cwd", /ENOENT/],
  [
    "more that must be ready than there are",
    `${sleep}\ncount = 2\nmin_ready = 3`,
    "worker.min_ready",
    /at most count, which is 2/,
  ],
  [
    "a grace period that is cut short",
    `${sleep}\nstop_timeout = "1h"`,
    "worker.stop_timeout",
    /at most 25s, which is shutdown_timeout/,
  ],
  ["a signal that there is not", `${sleep}\nstop_signal = "NOPE"`, "worker.stop_signal", /"NOPE"/],
  [
    "a Gemfile that is not there",
    'type = "ruby"\nload = "kleinhirn.toml"\nstart_expression = "1"\ngemfile = "Gemfile"',
    "worker.gemfile",
    /ENOENT/,
  ],
  [
    "a key of the other type",
    `${sleep}\nload = "kleinhirn.toml"`,
    "worker.load",
    /remove it, or set type = "ruby"/,
  ],
  [
    "a variable that is kleinhirn's",
    `${sleep}\nenv = { KLEINHIRN_NAME = "x" }`,
    "worker.env.KLEINHIRN_NAME",
    /remove it/,
  ],
])("%s: exit 78", async (_, lines, key, message) => {
  const { status, errors, summary } = await refuse(worker(lines));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(new RegExp(`^kleinhirn\\.toml:\\d+: ${key.replaceAll(".", "\\.")}: `));
  expect(errors[0]).toMatch(message);
  expect([status, summary]).toEqual([78, "kleinhirn: one error in the configuration; nothing was started"]);
});

test.each([
  ["an empty file", "", /supervisor\.name: expected .*none/],
  ["a file that is not TOML", "[supervisor\nname = 'x'\n", /^kleinhirn\.toml:1: expected valid TOML/],
  [
    "both forms of worker sets",
    `${worker(sleep)}[workers.web]\n${sleep}\n`,
    /workers: expected either \[worker\] or \[workers\.NAME\], found both/,
  ],
  ["no worker set", supervisor(), /worker: expected a table \[worker\], or \[workers\.NAME\], found none/],
  [
    "a socket path that is too long",
    `[supervisor]\nname = "it"\nsocket = "${"s".repeat(108)}"\n${common}[worker]\n${sleep}\n`,
    /^kleinhirn\.toml:3: supervisor\.socket: .*at most 107 bytes/,
  ],
  [
    "a name that no default socket path has room for",
    `[supervisor]\nname = "${"n".repeat(108)}"\n${common}[worker]\n${sleep}\n`,
    /^kleinhirn\.toml:2: supervisor\./,
  ],
])("%s: exit 78", async (_, toml, message) => {
  const { status, errors } = await refuse(toml);
  expect(status).toBe(78);
  expect(errors.join("\n")).toMatch(message);
});

test.each([
  [
    "not there",
    "no-such.toml",
    /there is no configuration file "no-such\.toml" \(ENOENT\); name one with -f FILE/,
  ],
  ["a folder", ".", /the configuration file "\." is a folder \(EISDIR\)/],
])("a configuration file that is %s: exit 66", async (_, file, message) => {
  const { status, summary } = await refuse("", { args: ["run", "-f", file] });
  expect(status).toBe(66);
  expect(summary).toMatch(message);
});

test("wrong values on the command line are called by the names that they have there: exit 78", async () => {
  const { status, errors } = await refuse("", {
    args: ["run", "-n", "many", "--name", "a/b", "--", "./gone"],
  });
  expect(status).toBe(78);
  expect(errors.map((error) => error.split(": expected")[0])).toEqual(["--name", "-n", "CMD"]);
});

test("a script without a first line that says what runs it: a death with its reason, not a hang", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    restart = { intensity = 0 }
    ${cmdline("./nameless")}
  `,
    { files: { nameless: "echo hello\n" } },
  );
  await running.waitFor("worker set faulted");
  expect(running.find("worker died")).toMatchObject({
    exit: "status 126",
    hint: expect.stringContaining('perhaps "./nameless" was never executed'),
  });
  expect(running.output).toContain("kleinhirn: cannot execute ./nameless: ENOEXEC");
});
