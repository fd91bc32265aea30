/** The process that a preloader forks ahead of need, seen from the supervisor. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readProcessStat } from "../../src/system/process-table.ts";
import { isAlive } from "../helpers/processes.ts";
import { commandLine, type LogLine, Running } from "../helpers/running.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const files = {
  "app.rb": 'require "kleinhirn_loader"\ndef serve\n  KleinhirnLoader.ack\n  sleep\nend\n',
};

const title = "kleinhirn: app standby gen";
const notable = ["warning", "error", "critical"];

function toml(count: number): string {
  return `
[supervisor]
name = "app"
[log]
format = "json"
level = "debug"
[worker]
type = "ruby"
load = "app.rb"
start_expression = "serve"
count = ${count}
restart = { intensity = 1000, backoff = "0s", backoff_max = "0s" }
`;
}

function pidOf(line: LogLine | undefined): number {
  return Number(line?.pid);
}

const waits = "preloader has forked ahead of need";

/** Of all that were told of, the one that still waits. */
async function waitForStandby(s: Running): Promise<number> {
  let found: number | undefined;
  await waitUntil(
    () => {
      found = s
        .all(waits)
        .map(({ standby }) => Number(standby))
        .findLast((pid) => commandLine(pid).startsWith(title));
      return found !== undefined;
    },
    () => `a process forked ahead of need in:\n${s.transcript()}`,
  );
  return found ?? 0;
}

function orphansIn(s: Running): readonly LogLine[] {
  return s.all((line) => line.msg.startsWith("orphan"));
}

test("a worker's replacement is the process that was waiting", async () => {
  await using s = new Running(toml(2), { files });
  await s.waitFor("worker set running");
  for (let death = 1; death <= 5; death += 1) {
    const standby = await waitForStandby(s);
    process.kill(pidOf(s.all("worker ready").at(-1)), "SIGKILL");
    await s.waitFor("worker set running", 1 + death);
    expect(pidOf(s.all("worker ready").at(-1))).toBe(standby);
    expect(commandLine(standby)).toMatch(/^kleinhirn: app app\.\d (starting|ready)$/);
  }
  expect(await s.stop()).toBe(0);
});

test("one that is killed is nobody's death; the next replacement comes all the same", async () => {
  await using s = new Running(toml(2), { files });
  await s.waitFor("worker set running");
  const standby = await waitForStandby(s);
  process.kill(standby, "SIGKILL");
  await s.waitFor("a process that was forked ahead of need was lost");
  await waitUntil(() => readProcessStat(standby) === undefined);
  expect(s.all((line) => notable.includes(line.level))).toEqual([]);
  process.kill(pidOf(s.find("worker ready")), "SIGKILL");
  await s.waitFor("worker set running", 2);
  expect(s.all("worker died")).toHaveLength(1);
  expect(isAlive(await waitForStandby(s))).toBe(true);
  expect(await s.stop()).toBe(0);
});

test("killed at the moment at which it is needed: no dead process is a worker for good", async () => {
  await using s = new Running(toml(2), { files });
  await s.waitFor("worker set running");
  for (let round = 1; round <= 10; round += 1) {
    const standby = await waitForStandby(s);
    process.kill(pidOf(s.all("worker ready").at(-1)), "SIGKILL");
    process.kill(standby, "SIGKILL");
    await waitUntil(() => readProcessStat(standby) === undefined);
    await waitUntil(() => {
      const died = s.all("worker died").map(({ worker }) => worker);
      return s.all("worker ready").filter(({ worker }) => !died.includes(worker)).length === 2;
    });
  }
  // Whoever was announced has died by its own name, or lives.
  const launched = s.all("worker launched").map(({ worker }) => worker);
  const died = s.all("worker died").map(({ worker }) => worker);
  expect(launched).toHaveLength(died.length + 2);
  expect(died.filter((worker) => !launched.includes(worker))).toEqual([]);
  expect(await s.stop()).toBe(0);
});

test("a stop leaves none, counts none, and has nothing to say of it", async () => {
  for (const signals of [["SIGTERM"], ["SIGQUIT"], ["SIGTERM", "SIGTERM"]] as const) {
    await using s = new Running(toml(2), { files });
    await s.waitFor("worker set running");
    const standby = await waitForStandby(s);
    for (const signal of signals) s.signal(signal);
    expect(await s.exited()).toBe(0);
    expect(isAlive(standby)).toBe(false);
    expect(s.processes()).toEqual([]);
    expect(orphansIn(s)).toEqual([]);
    if (signals[0] === "SIGQUIT" || signals.length > 1) continue;
    expect(s.find("stopped")).toMatchObject({ killed: 0 });
    expect(s.all((line) => notable.includes(line.level))).toEqual([]);
  }
});

test("it goes with a preloader that is killed; the next generation has one of its own after its first worker", async () => {
  await using s = new Running(toml(2), { files });
  await s.waitFor("worker set running");
  const standby = await waitForStandby(s);
  process.kill(pidOf(s.find("preloader ready")), "SIGKILL");
  await waitUntil(() => readProcessStat(standby) === undefined);
  await s.waitFor("preloader ready", 2);
  expect(s.all(waits)).toHaveLength(1);
  process.kill(pidOf(s.find("worker ready")), "SIGKILL");
  await s.waitFor("worker set running", 2);
  expect(commandLine(await waitForStandby(s))).toBe(`${title} 2`);
  expect(orphansIn(s)).toEqual([]);
  expect(s.all("worker died")).toHaveLength(1);
  expect(await s.stop()).toBe(0);
});

test("sixteen die at once: sixteen replacements, one of them the process that was waiting", async () => {
  await using s = new Running(toml(16), { files });
  await s.waitFor("worker set running");
  const standby = await waitForStandby(s);
  for (const pid of s.all("worker ready").map(pidOf)) process.kill(pid, "SIGKILL");
  await s.waitFor("worker ready", 32);
  const pids = s.all("worker ready").map(pidOf).slice(16);
  expect(new Set(pids).size).toBe(16);
  expect(pids).toContain(standby);
  for (const pid of pids) expect(readProcessStat(pid)?.parent).toBe(s.pid);
  expect(s.all("worker died")).toHaveLength(16);
  await waitForStandby(s);
  expect(await s.stop()).toBe(0);
  expect(s.find("stopped")).toMatchObject({ killed: 0 });
});

/** With it, workers become the preloader's children when the process between has ended. */
const subreaper =
  "syscall({ 'x86_64' => 157, 'aarch64' => 167 }.fetch(RUBY_PLATFORM[/[^-]+/]), 36, 1, 0, 0, 0)\n";

test("a worker that is announced and is no child of ours is a launch that failed, not one to wait for without end", async () => {
  const reaping = { "app.rb": `${subreaper}${files["app.rb"]}` };
  await using s = new Running(toml(1).replace("intensity = 1000", "intensity = 1"), { files: reaping });
  await s.waitFor("worker set faulted");
  const failed = s.all("worker launch failed");
  expect(failed).toHaveLength(2);
  for (const { error } of failed) expect(error).toMatch(/^process \d+ was announced and is no child of/);
  expect(await s.stop()).toBe(0);
  expect(s.find("stopped")).toMatchObject({ killed: 0 });
});
