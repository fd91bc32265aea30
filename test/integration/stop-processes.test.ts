/** Which processes get which signals: groups, orphans, passed-on signals, and a supervisor that is killed (section 4). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, idle, shell, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

/** Starts a process in the worker's own group that tells its pid in the file `name`, with its signals as `trap` says. */
function startStray(name: string, trap = ""): string {
  return `sh -c '${trap} echo $$ > ${name}.new; mv ${name}.new ${name}; exec sleep 1000' &`;
}

/** The same in a session of its own, by which it escapes the group. */
function startDaemon(name: string, trap = ""): string {
  return `setsid ${startStray(name, trap)}`;
}

const ignoreTerm = 'trap "" TERM;';

test("what a dead worker leaves in its group gets TERM at once, and KILL after stop_timeout", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    stop_timeout = "300ms"
    ${shell(`
      if [ ! -e easy ]; then ${startStray("easy")} ${startStray("stubborn", ignoreTerm)} fi
      until [ -e easy ] && [ -e stubborn ]; do sleep 0.01; done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
  `);
  const [worker] = await running.waitFor("worker ready");
  const [easy, stubborn] = [
    Number(await readLineOf(join(running.folder, "easy"))),
    Number(await readLineOf(join(running.folder, "stubborn"))),
  ];
  expect([easy, stubborn].map((pid) => readProcessStat(pid)?.group)).toEqual([
    Number(worker?.pid),
    Number(worker?.pid),
  ]);
  process.kill(Number(worker?.pid), "SIGKILL");
  await waitUntil(() => !isAlive(easy));
  await waitUntil(() => !isAlive(stubborn));
  // Both are reaped as orphans, and nobody is launched for them.
  await waitUntil(
    () => running.all("orphans reaped").reduce((sum, line) => sum + Number(line.count), 0) === 2,
  );
  expect(running.all("worker launched")).toHaveLength(2);
});

test("a stop waits for the rest of a worker's group too, and leaves nothing", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    stop_timeout = "300ms"
    ${shell(`
      ${startStray("easy")} ${startStray("stubborn", ignoreTerm)}
      until [ -e easy ] && [ -e stubborn ]; do sleep 0.01; done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
  `);
  await running.waitFor("worker ready");
  expect(await running.stop()).toBe(0);
  expect(running.find("worker stopped")).toMatchObject({ exit: "signal TERM" });
  expect(running.processes()).toEqual([]);
});

test("KILL goes to the whole group of a worker that outlasts its grace period", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    stop_timeout = "200ms"
    ${shell(`
      trap "" TERM
      ${startStray("stray", ignoreTerm)}
      until [ -e stray ]; do sleep 0.01; done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
  `);
  await running.waitFor("worker ready");
  const stray = Number(await readLineOf(join(running.folder, "stray")));
  running.signal("SIGTERM");
  await running.waitFor("worker killed");
  await waitUntil(() => !isAlive(stray));
  expect(await running.exited()).toBe(0);
});

test("orphans in sessions of their own get TERM when the workers are gone, and KILL at the end of shutdown_timeout", async () => {
  await using running = new Running(`${supervisor('shutdown_timeout = "1s"')}
    [worker]
    type = "program"
    ack = "message"
    stop_timeout = "200ms"
    ${shell(`
      ${startDaemon("easy")} ${startDaemon("stubborn", ignoreTerm)}
      until [ -e easy ] && [ -e stubborn ]; do sleep 0.01; done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
  `);
  await running.waitFor("worker ready");
  const [easy, stubborn] = [
    Number(await readLineOf(join(running.folder, "easy"))),
    Number(await readLineOf(join(running.folder, "stubborn"))),
  ];
  running.signal("SIGTERM");
  await running.waitFor("worker stopped");
  await waitUntil(() => !isAlive(easy));
  expect(await running.exited()).toBe(0);
  expect(isAlive(stubborn)).toBe(false);
  const killing = running.find("killing everything that is left");
  expect(killing).toMatchObject({ reason: "shutdown timeout" });
  expect(Number(killing?.after_ms)).toBeGreaterThanOrEqual(999);
  expect(running.find("orphans killed")).toMatchObject({ level: "warning", count: 1 });
  expect(running.find("stopped")).toMatchObject({ killed: 0, exit_status: 0 });
});

test("the children of an orphan are swept as well, however deep they are", async () => {
  const nested =
    "setsid sh -c 'sleep 1001 & setsid sh -c \"sleep 1002 & setsid sleep 1003 & wait\" & touch deep; wait' &";
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`${nested} until [ -e deep ]; do sleep 0.01; done; ${ackByDescriptor}; exec sleep 1000`)}
  `);
  await running.waitFor("worker ready");
  await waitUntil(() => running.processes().length === 7);
  expect(await running.stop()).toBe(0);
  expect(running.processes()).toEqual([]);
});

test("HUP, USR1, USR2 and WINCH are passed on to every worker, and mean nothing to the supervisor", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 2
    ack = "message"
    ${shell(`
      for name in HUP USR1 USR2 WINCH; do trap "echo $name >> got.$KLEINHIRN_WORKER_SLOT" $name; done
      ${ackByDescriptor}
      ${idle}
    `)}
  `);
  await running.waitFor("worker set running");
  for (const name of ["HUP", "USR1", "USR2", "WINCH"] as const) {
    running.signal(`SIG${name}`);
    // One after the other: signals that wait together come in no particular order.
    for (const slot of [0, 1]) {
      const got = join(running.folder, `got.${slot}`);
      await readLineOf(got);
      await waitUntil(() => readFileSync(got, "utf8").endsWith(`${name}\n`));
    }
  }
  for (const slot of [0, 1]) {
    expect(readFileSync(join(running.folder, `got.${slot}`), "utf8")).toBe("HUP\nUSR1\nUSR2\nWINCH\n");
  }
  const passedOn = await running.waitFor("signal passed on", 4);
  expect(passedOn.map(({ signal, workers }) => [signal, workers])).toEqual([
    ["SIGHUP", 2],
    ["SIGUSR1", 2],
    ["SIGUSR2", 2],
    ["SIGWINCH", 2],
  ]);
  expect(running.find("worker died")).toBeUndefined();
});

test("if the supervisor is killed, no worker outlives it, not even one that ignores everything", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 4
    ack = "message"
    ${shell(`trap "" HUP INT QUIT TERM USR1 USR2 PIPE ALRM; ${ackByDescriptor}; exec sleep 1000`)}
  `);
  const workers = (await running.waitFor("worker ready", 4)).map(({ pid }) => Number(pid));
  running.signal("SIGKILL");
  await waitUntil(() => workers.every((pid) => !isAlive(pid)));
  await running.exited();
  expect(running.process.signalCode).toBe("SIGKILL");
});

test("a terminal's Ctrl-C reaches the supervisor alone: workers are told by it, in order", async () => {
  await using running = new Running(
    `${supervisor('drain_delay = "1h"\nshutdown_timeout = "2h"')}
    [worker]
    type = "program"
    ${shell("exec sleep 1000")}
  `,
    { wrapper: ["setsid"] },
  );
  const [worker] = await running.waitFor("worker ready");
  const group = readProcessStat(running.pid)?.group ?? 0;
  expect(group).toBe(running.pid);
  process.kill(-group, "SIGINT");
  await running.waitFor("stopping");
  expect(isAlive(Number(worker?.pid))).toBe(true);
  expect(await running.stop()).toBe(0);
});
