/** A stop in the first moments, as an ordinary process and as PID 1 (specification section 4). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { catches, childrenOf, isAlive } from "../helpers/processes.ts";
import { Running, type StartOptions } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const term = 15;

const fourSleepers = `${supervisor()}
    [worker]
    type = "program"
    count = 4
    ${cmdline("sleep", "1000")}
`;

/** Looks without a pause, so that the signal comes as soon as it is not deadly any more. */
function awaitHandler(pid: number): void {
  const giveUpAt = performance.now() + 30_000;
  while (isAlive(pid) && !catches(pid, term)) {
    if (performance.now() > giveUpAt) throw new Error(`process ${pid} has no handler for TERM`);
  }
}

test("TERM as soon as there is a handler: exit 0, and from then on nothing is launched", async () => {
  await using running = new Running(fourSleepers);
  awaitHandler(running.pid);
  expect(await running.stop("SIGTERM")).toBe(0);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
  // A compiled kleinhirn is quick enough to have launched something before the signal is there.
  const stopping = running.lines.findIndex(({ msg }) => msg === "stopping");
  expect(running.lines.slice(stopping).filter(({ msg }) => msg === "worker launched")).toEqual([]);
});

test("two TERM as early: exit 0", async () => {
  await using running = new Running(fourSleepers);
  awaitHandler(running.pid);
  running.signal("SIGTERM");
  running.signal("SIGINT");
  expect(await running.exited()).toBe(0);
});

test("a hundred starts, each with TERM at another moment of its first milliseconds: none leaves anything", async () => {
  const atOnce = 5;
  const outcomes: string[] = [];
  for (let start = 0; start < 100; start += atOnce) {
    const batch = Array.from({ length: atOnce }, (_, index) => startAndStop((start + index) * 2));
    outcomes.push(...(await Promise.all(batch)));
  }
  // Before its first line has run, TERM ends it as it ends any program; from then on it is a stop.
  expect(new Set(outcomes).isSubsetOf(new Set(["0", "SIGTERM before anything"]))).toBe(true);
  expect(outcomes).toContain("0");
});

async function startAndStop(delayMs: number): Promise<string> {
  await using running = new Running(fourSleepers);
  await Bun.sleep(delayMs);
  const code = await running.stop("SIGTERM");
  const { signalCode } = running.process;
  if (signalCode === null) return String(code);
  return running.lines.length === 0
    ? `${signalCode} before anything`
    : `${signalCode}\n${running.transcript()}`;
}

test("a supervisor that is killed in the middle of launching leaves nothing either", async () => {
  for (let start = 0; start < 5; start += 1) {
    await using running = new Running(`${supervisor()}
      [worker]
      type = "program"
      count = 4
      ack = "message"
      restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
      ${shell(`trap "" TERM HUP INT; ${ackByDescriptor}; [ "$KLEINHIRN_WORKER_SLOT" = 0 ] && exec sleep 1000; exit 1`)}
    `);
    await running.waitFor("worker died", 8 * start + 1);
    running.signal("SIGKILL");
    await running.process.exited;
    await waitUntil(() => running.processes().length === 0);
  }
});

const asPid1: StartOptions = {
  wrapper: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
};
const mayUnshare = Bun.spawnSync(["unshare", "--pid", "--fork", "--mount-proc", "true"]).exitCode === 0;
if (!mayUnshare) console.warn("Not permitted to make a pid namespace: life as PID 1 is not tested here.");

/** Its pid as we see it; it is 1 for itself. */
async function findPid1(running: Running): Promise<number> {
  await waitUntil(() => childrenOf(running.pid).length === 1);
  return childrenOf(running.pid)[0] ?? 0;
}

test.skipIf(!mayUnshare)("as PID 1: TERM as soon as there is a handler", async () => {
  await using running = new Running(fourSleepers, asPid1);
  const pid = await findPid1(running);
  awaitHandler(pid);
  process.kill(pid, "SIGTERM");
  expect(await running.exited()).toBe(0);
  expect(running.find("supervisor started")).toMatchObject({ pid: 1 });
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
});

test.skipIf(!mayUnshare)("as PID 1: orphans are reaped, a stop ends them too", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`
      for i in $(seq 20); do ( exit 5 & ); done
      for i in $(seq 5); do ( setsid sleep 1000 & ); done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
  `,
    asPid1,
  );
  const pid = await findPid1(running);
  await running.waitFor("worker set running");
  const reaped = () => running.all("orphans reaped").reduce((sum, line) => sum + Number(line.count), 0);
  await waitUntil(() => reaped() === 20 && childrenOf(pid).length === 6);
  process.kill(pid, "SIGTERM");
  expect(await running.exited()).toBe(0);
  expect(reaped()).toBe(25);
  expect(running.find("worker died")).toBeUndefined();
});

test.skipIf(!mayUnshare)("as PID 1: a worker that dies is replaced, QUIT ends everything", async () => {
  await using running = new Running(fourSleepers, asPid1);
  const pid = await findPid1(running);
  await running.waitFor("worker set running");
  const [victim = 0] = childrenOf(pid);
  process.kill(victim, "SIGKILL");
  await running.waitFor("worker set running", 2);
  expect(running.all("worker died")).toHaveLength(1);
  process.kill(pid, "SIGQUIT");
  expect(await running.exited()).toBe(0);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 4 });
});
