/** A stop works the same in every state (specification section 4). */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, idle, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

/** A set that gets into the named state and stays there. */
const states = {
  starting: `
    count = 2
    ack = "message"
    ${shell(`[ "$KLEINHIRN_WORKER_SLOT" = 0 ] && ${ackByDescriptor}; exec sleep 1000`)}`,
  running: `
    count = 2
    ${cmdline("sleep", "1000")}`,
  backoff: `
    restart = { backoff = "1h", backoff_max = "1h" }
    ${shell("exit 1")}`,
  underprovisioned: `
    count = 2
    restart = { backoff = "1h", backoff_max = "1h" }
    ${shell('[ "$KLEINHIRN_WORKER_SLOT" = 0 ] && exec sleep 1000; exit 1')}`,
  faulted: `
    count = 2
    restart = { intensity = 1, backoff = "0s" }
    ${shell('[ "$KLEINHIRN_WORKER_SLOT" = 0 ] && exec sleep 1000; exit 1')}`,
} as const;

/** What the log says when the state is reached, and how many workers live then. */
const signs = {
  starting: { message: "worker ready", times: 1, workers: 2 },
  running: { message: "worker set running", times: 1, workers: 2 },
  backoff: { message: "worker died", times: 2, workers: 0 },
  underprovisioned: { message: "worker died", times: 2, workers: 1 },
  faulted: { message: "worker set faulted", times: 1, workers: 1 },
} as const;

const stateNames = Object.keys(states) as (keyof typeof states)[]; // Reason for the cast: `keys` forgets the names.

async function reach(state: keyof typeof states): Promise<Running> {
  const running = new Running(`${supervisor()}
    [worker]
    type = "program"${states[state]}`);
  const { message, times } = signs[state];
  await running.waitFor(message, times);
  return running;
}

describe.each(stateNames)("when %s", (state) => {
  const { workers } = signs[state];

  test("TERM asks every worker, waits for them, and exits 0", async () => {
    await using running = await reach(state);
    const launches = running.all("worker launched").length;
    expect(await running.stop("SIGTERM")).toBe(0);
    expect(running.find("stopping")).toMatchObject({ level: "info", reason: "SIGTERM" });
    expect(running.all("worker stopped")).toHaveLength(workers);
    expect(running.all((line) => line.exit === "signal TERM" && line.cause === "shutdown")).toHaveLength(
      workers,
    );
    expect(running.lines.at(-1)).toMatchObject({ level: "info", msg: "stopped", killed: 0, exit_status: 0 });
    expect(running.all("worker launched")).toHaveLength(launches);
  });

  test("QUIT kills everything at once and exits 0", async () => {
    await using running = await reach(state);
    expect(await running.stop("SIGQUIT")).toBe(0);
    expect(running.all((line) => line.msg === "worker killed" && line.exit === "signal KILL")).toHaveLength(
      workers,
    );
    expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: workers, exit_status: 0 });
  });
});

test("INT does what TERM does", async () => {
  await using running = await reach("running");
  expect(await running.stop("SIGINT")).toBe(0);
  expect(running.find("stopping")).toMatchObject({ reason: "SIGINT" });
  expect(running.find("stopped")).toMatchObject({ killed: 0 });
});

/** It ignores TERM; `sleep` inherits that over the exec. */
const stubborn = `
    type = "program"
    ack = "message"
    ${shell(`trap "" TERM; ${ackByDescriptor}; exec sleep 1000`)}
`;

test.each([
  ["SIGTERM", "SIGTERM"],
  ["SIGTERM", "SIGINT"],
  ["SIGINT", "SIGTERM"],
  ["SIGINT", "SIGQUIT"],
] as const)("while workers are stopping: %s and then %s kills what is left", async (first, second) => {
  await using running = new Running(`${supervisor('shutdown_timeout = "2h"')}
    [worker]
    stop_timeout = "1h"
    count = 2${stubborn}`);
  await running.waitFor("worker set running");
  running.signal(first);
  await running.waitFor("worker stopping", 2);
  expect(await running.stop(second)).toBe(0);
  expect(running.find("killing everything that is left")).toMatchObject({ level: "warning" });
  expect(running.lines.at(-1)).toMatchObject({ level: "warning", msg: "stopped", killed: 2, exit_status: 0 });
});

test("a worker that ignores its stop signal is killed after stop_timeout, and the last event counts it", async () => {
  await using running = new Running(`${supervisor()}
    [workers.stubborn]
    stop_timeout = "300ms"
    count = 2${stubborn}
    [workers.easy]
    type = "program"
    ${cmdline("sleep", "1000")}
  `);
  await running.waitFor("worker set running", 2);
  expect(await running.stop()).toBe(0);
  const killed = running.all("worker killed");
  expect(killed).toHaveLength(2);
  for (const line of killed) {
    expect(line).toMatchObject({ level: "warning", exit: "signal KILL", asked: true, cause: "shutdown" });
    expect(Number(line.stop_ms)).toBeGreaterThanOrEqual(299);
  }
  expect(running.all("worker outlasted its grace period")).toHaveLength(2);
  expect(running.find("worker stopped")).toMatchObject({ set: "easy", exit: "signal TERM" });
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 2, exit_status: 0 });
});

test("stop_signal is what a worker gets, and any end of it is a graceful one", async () => {
  await using running = new Running(`${supervisor()}
    [workers.usr1]
    type = "program"
    ack = "message"
    stop_signal = "USR1"
    ${shell(`trap "exit 3" USR1; trap "" TERM; ${ackByDescriptor}; ${idle}`)}
    [workers.int]
    type = "program"
    stop_signal = "SIGINT"
    ${cmdline("sleep", "1000")}
  `);
  await running.waitFor("worker set running", 2);
  expect(await running.stop()).toBe(0);
  expect(
    running
      .all("worker stopped")
      .map(({ set, exit }) => [set, exit])
      .toSorted(),
  ).toEqual([
    ["int", "signal INT"],
    ["usr1", "status 3"],
  ]);
  expect(running.find("stopped")).toMatchObject({ level: "info", killed: 0 });
});

test("after drain_delay, and not before it, the workers are told", async () => {
  await using running = new Running(`${supervisor('drain_delay = "300ms"')}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
  `);
  await running.waitFor("worker set running");
  expect(await running.stop()).toBe(0);
  expect(running.find("stopping")).toMatchObject({ drain_ms: 300 });
  // By the supervisor's own clock: on a busy machine an event's time of day may be some milliseconds late.
  const [all, worker] = ["stopped", "worker stopped"].map((msg) => Number(running.find(msg)?.stop_ms));
  expect(Number(all) - Number(worker)).toBeGreaterThanOrEqual(299);
});

test("during drain_delay: not ready, the workers left alone, a death not replaced; a second TERM ends it", async () => {
  await using running = new Running(`${supervisor('drain_delay = "1h"\nshutdown_timeout = "2h"')}
    [worker]
    type = "program"
    count = 3
    ${cmdline("sleep", "1000")}
  `);
  const [victim, ...others] = await running.waitFor("worker ready", 3);
  running.signal("SIGTERM");
  await running.waitFor("stopping");
  const answers = await Promise.all(["/healthz", "/readyz", "/livez"].map((path) => running.health(path)));
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
  expect(await answers[1]?.text()).toBe("unhealthy\nit: draining, 3 of 3 ready\n");
  process.kill(Number(victim?.pid), "SIGKILL");
  await running.waitFor("worker died");
  expect(others.every(({ pid }) => isAlive(Number(pid)))).toBe(true);
  expect(running.find("worker stopping")).toBeUndefined();
  expect(await running.stop("SIGTERM")).toBe(0);
  expect(running.all("worker launched")).toHaveLength(3);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 2 });
});

test("nothing is waited for when there is no worker: drain_delay is for those who have clients", async () => {
  await using running = new Running(`${supervisor('drain_delay = "1h"\nshutdown_timeout = "2h"')}
    [worker]
    type = "program"${states.backoff}`);
  await running.waitFor("worker died", 2);
  expect(await running.stop("SIGTERM")).toBe(0);
});

test("health answers until the last worker is gone", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    count = 2
    ${shell(`
      trap 'until [ "$KLEINHIRN_WORKER_SLOT" = 0 ] || [ -e finish ]; do sleep 0.02; done; exit 0' TERM
      ${ackByDescriptor}
      ${idle}
    `)}
  `);
  await running.waitFor("worker set running");
  running.signal("SIGTERM");
  await running.waitFor("worker stopped");
  const answer = await running.health("/livez");
  expect([answer.status, await answer.text()]).toEqual([200, "ok\nit: draining, 0 of 2 ready\n"]);
  writeFileSync(join(running.folder, "finish"), "");
  expect(await running.exited()).toBe(0);
  expect(running.all("worker stopped")).toHaveLength(2);
});

test("while stopping because of a fault: the first TERM is the orchestrator's own, the second one kills; exit 1", async () => {
  await using running = new Running(`${supervisor('on_fault = "exit"\nshutdown_timeout = "2h"')}
    [workers.stubborn]
    stop_timeout = "1h"${stubborn}
    [workers.crashing]
    type = "program"
    restart = { intensity = 0 }
    ${shell("until [ -e go ]; do sleep 0.02; done; exit 1")}
  `);
  await running.waitFor("worker set running", 2);
  writeFileSync(join(running.folder, "go"), "");
  await running.waitFor("worker stopping");
  running.signal("SIGTERM");
  // Of two signals that wait the kernel gives the lower number first: once this one is passed on, TERM has been seen.
  running.signal("SIGWINCH");
  await running.waitFor("signal passed on");
  expect(running.find("killing everything that is left")).toBeUndefined();
  expect(await running.stop("SIGTERM")).toBe(1);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 1, exit_status: 1 });
});

test("a worker that is stopping for its late ack goes with the others, and is waited for", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ack_timeout = "50ms"
    stop_timeout = "1s"
    ${shell('trap "" TERM; exec sleep 1000')}
  `);
  await running.waitFor("worker did not ack in time");
  expect(await running.stop()).toBe(0);
  expect(running.find("worker killed")).toMatchObject({ cause: "ack timeout", exit: "signal KILL" });
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 1 });
});
