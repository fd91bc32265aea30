/** Deaths, replacements, backoff, thresholds and faults (specification section 3). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argumentsOf, childrenOf, descriptorsOf, isAlive } from "../helpers/processes.ts";
import { type LogLine, Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const timeOf = (line: LogLine | undefined) => Date.parse(String(line?.ts));

async function statuses(running: Running): Promise<number[]> {
  const answers = ["/healthz", "/readyz", "/livez"].map((path) => running.health(path));
  return (await Promise.all(answers)).map(({ status }) => status);
}

test("a death is replaced at once in its slot, and its siblings are left alone", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 3
    restart = { backoff = "10s" }
    ${cmdline("sleep", "1000")}
  `);
  const before = await running.waitFor("worker ready", 3);
  const [, victim] = before;
  process.kill(Number(victim?.pid), "SIGKILL");
  const [died] = await running.waitFor("worker died");
  expect(died).toMatchObject({
    slot: 1,
    pid: victim?.pid,
    worker: victim?.worker,
    exit: "signal KILL",
    asked: false,
  });
  await running.waitFor("worker set running", 2);
  const after = running.all("worker ready");
  expect(after).toHaveLength(4);
  expect(after[3]).toMatchObject({ slot: 1 });
  expect(after[3]?.worker).not.toBe(victim?.worker);
  expect(running.find("worker set underprovisioned")).toMatchObject({ ready: 2, count: 3 });
  expect([before[0], before[2]].every((line) => isAlive(Number(line?.pid)))).toBe(true);
});

test("every end that nobody asked for is a death, whatever its status", async () => {
  await using running = new Running(`${supervisor()}
    [workers.ok]
    type = "program"
    ${shell("exit 0")}
    restart = { intensity = 1 }
    [workers.failed]
    type = "program"
    ${shell("exit 37")}
    restart = { intensity = 1 }
    [workers.aborted]
    type = "program"
    ${shell("kill -s ABRT $$")}
    restart = { intensity = 1 }
  `);
  await running.waitFor("worker set faulted", 3);
  const exits = (set: string) =>
    running.all((line) => line.msg === "worker died" && line.set === set).map((line) => line.exit);
  expect(exits("ok")).toEqual(["status 0", "status 0"]);
  expect(exits("failed")).toEqual(["status 37", "status 37"]);
  expect(exits("aborted")).toEqual(["signal ABRT", "signal ABRT"]);
});

test("a crash loop: the delays double up to the most, and the set faults at exactly intensity + 1 deaths", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    restart = { intensity = 6, backoff = "100ms", backoff_max = "400ms" }
    ${shell("exit 1")}
  `);
  const [faulted] = await running.waitFor("worker set faulted");
  expect(faulted).toMatchObject({
    level: "critical",
    set: "it",
    intensity: 6,
    last_death: "status 1",
    reason: "7 deaths",
  });
  expect(running.all("worker died")).toHaveLength(7);
  const launched = running.all("worker launched");
  expect(launched).toHaveLength(7);
  // A replacement may be late on a busy machine, but never early: 0, 100, 200, 400, 400, 400 ms, each less 20 %.
  const delays = running
    .all("worker died")
    .slice(0, -1)
    .map((died, index) => timeOf(launched[index + 1]) - timeOf(died));
  for (const [index, least] of [0, 80, 160, 320, 320, 320].entries()) {
    expect(delays[index]).toBeGreaterThanOrEqual(least - 1);
  }
  expect(await statuses(running)).toEqual([503, 503, 503]);
  expect(await (await running.health("/livez")).text()).toMatch(
    /^unhealthy\nit: faulted, 0 of 1 ready, last death: status 1 \d+ s ago\n$/,
  );
});

test("workers that ack and then die fault their set just the same", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    restart = { intensity = 2, backoff = "1ms" }
    ${shell(`${ackByDescriptor}; exit 1`)}
  `);
  await running.waitFor("worker set faulted");
  expect(running.all("worker died")).toHaveLength(3);
  expect(running.all("worker launched")).toHaveLength(3);
  // Nothing is left that could be launched later: the fault is final.
  expect(
    await (await running.health("/healthz", { headers: { accept: "application/json" } })).json(),
  ).toMatchObject({
    status: "unhealthy",
    live: false,
    sets: [
      {
        state: "faulted",
        ready: 0,
        deaths: 3,
        last_death: { cause: "status 1" },
        workers: [{ phase: "waiting", pid: null }],
      },
    ],
  });
});

/** Slot 0 serves; slot 1 dies as often as it is launched. */
const oneOfTwoCrashes = `
    type = "program"
    count = 2
    min_ready = 1
    restart = { intensity = 3, backoff = "1ms" }
    ${shell('[ "$KLEINHIRN_WORKER_SLOT" = 0 ] && exec sleep 1000; exit 9')}
`;

test('on_fault = "stay": the survivors go on serving, and a stop stops them as ever', async () => {
  await using running = new Running(`${supervisor()}
    [worker]${oneOfTwoCrashes}`);
  await running.waitFor("worker set faulted");
  const survivor = Number(running.find((line) => line.msg === "worker ready" && line.slot === 0)?.pid);
  expect(await statuses(running)).toEqual([503, 503, 503]);
  expect(await (await running.health("/healthz")).text()).toStartWith("unhealthy\nit: faulted, 1 of 2 ready");
  // The survivor is not replaced either: there are no more launches.
  process.kill(survivor, "SIGKILL");
  await running.waitFor((line) => line.msg === "worker died" && line.pid === survivor);
  expect(await (await running.health("/healthz")).text()).toStartWith("unhealthy\nit: faulted, 0 of 2 ready");
  expect(running.all("worker launched")).toHaveLength(5);
  expect(await running.stop()).toBe(0);
});

test("a fault of one set leaves the other alone", async () => {
  await using running = new Running(`${supervisor()}
    [workers.good]
    type = "program"
    ${cmdline("sleep", "1000")}
    [workers.bad]${oneOfTwoCrashes}`);
  await running.waitFor("worker set faulted");
  expect(await (await running.health("/readyz")).text()).toMatch(
    /^unhealthy\ngood: running, 1 of 1 ready\nbad: faulted, /,
  );
  const good = Number(running.find((line) => line.msg === "worker ready" && line.set === "good")?.pid);
  process.kill(good, "SIGKILL");
  await running.waitFor((line) => line.msg === "worker ready" && line.set === "good", 2);
});

test('on_fault = "exit": the fault drains what is left and exits 1', async () => {
  await using running = new Running(`${supervisor('on_fault = "exit"')}
    [worker]${oneOfTwoCrashes}`);
  expect(await running.exited()).toBe(1);
  const messages = running.lines.map(({ msg }) => msg);
  expect(messages.slice(messages.indexOf("worker set faulted"))).toEqual([
    "worker set faulted",
    "stopping",
    "worker stopping",
    "worker stopped",
    "stopped",
  ]);
  expect(running.find("stopping")).toMatchObject({ reason: "worker set it faulted" });
  expect(running.find("stopped")).toMatchObject({ exit_status: 1, killed: 0 });
});

test("deaths that are a period old no longer count", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    restart = { intensity = 1, period = "50ms" }
    ${cmdline("sleep", "1000")}
  `);
  for (let deaths = 1; deaths <= 4; deaths += 1) {
    const { length, [length - 1]: last } = await running.waitFor("worker ready", deaths);
    const before = running.all("worker died").at(-1);
    // Not a wait for something to happen: the death must really be a period after the one before.
    await waitUntil(() => before === undefined || Date.now() - timeOf(before) > 60);
    process.kill(Number(last?.pid), "SIGKILL");
    await running.waitFor("worker died", deaths);
  }
  await running.waitFor("worker ready", 5);
  expect(running.find("worker set faulted")).toBeUndefined();
});

test("a program that vanishes while it runs, and one that may not be executed any more: launches fail, and say why", async () => {
  await using running = new Running(
    `${supervisor()}
    [workers.vanishes]
    type = "program"
    ${cmdline("./vanishes")}
    restart = { intensity = 2, backoff = "1ms" }
    [workers.forbidden]
    type = "program"
    ${cmdline("./forbidden")}
    restart = { intensity = 2, backoff = "1ms" }
    [workers.interpreter]
    type = "program"
    ${cmdline("./interpreter")}
    restart = { intensity = 2, backoff = "1ms" }
  `,
    {
      files: {
        vanishes: "#!/bin/sh\nexec sleep 1000\n",
        forbidden: "#!/bin/sh\nexec sleep 1000\n",
        interpreter: "#!/no/such/interpreter\n",
      },
    },
  );
  const ready = (set: string) => running.find((line) => line.msg === "worker ready" && line.set === set);
  await waitUntil(() => ready("vanishes") !== undefined && ready("forbidden") !== undefined);
  const pids = [Number(ready("vanishes")?.pid), Number(ready("forbidden")?.pid)];
  // "Ready" may come a moment before the exec.
  await waitUntil(() => pids.every((pid) => argumentsOf(pid)[0] === "sleep"));
  rmSync(join(running.folder, "vanishes"));
  chmodSync(join(running.folder, "forbidden"), 0o644);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await running.waitFor("worker set faulted", 3);
  const failures = (set: string) =>
    running.all((line) => line.msg === "worker launch failed" && line.set === set);
  expect(failures("vanishes")).toHaveLength(2);
  expect(failures("vanishes")[0]?.error).toContain('"./vanishes": there is no such file');
  expect(failures("forbidden")).toHaveLength(2);
  expect(failures("forbidden")[0]?.error).toContain("may not be executed");
  // This turns out only at the exec: the kernel looks for the interpreter.
  const died = running.all((line) => line.msg === "worker died" && line.set === "interpreter");
  expect(died.map(({ exit }) => exit)).toEqual(["status 127", "status 127", "status 127"]);
  expect(died[0]?.hint).toContain("the interpreter that its first line names");
  expect(running.output).toContain("kleinhirn: cannot execute ./interpreter: ENOENT");
});

test("launches that fail at once and without a delay between them leave everybody else their turn", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
    ${cmdline("./vanishes")}
  `,
    { files: { vanishes: "#!/bin/sh\nexec sleep 1000\n" } },
  );
  const [ready] = await running.waitFor("worker ready");
  await waitUntil(() => argumentsOf(Number(ready?.pid))[0] === "sleep");
  rmSync(join(running.folder, "vanishes"));
  process.kill(Number(ready?.pid), "SIGKILL");
  await running.waitFor("worker launch failed", 100);
  expect(await statuses(running)).toEqual([503, 503, 200]);
  running.signal("SIGHUP");
  await running.waitFor("signal passed on");
  expect(await running.stop()).toBe(0);
});

test("nothing grows with the number of restarts: the same descriptors, the same one child", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
    ${shell(`${ackByDescriptor}; [ -e crash ] && exit 1; exec sleep 1000`)}
  `);
  const [first] = await running.waitFor("worker ready");
  const before = Object.keys(descriptorsOf(running.pid)).length;
  writeFileSync(join(running.folder, "crash"), "");
  process.kill(Number(first?.pid), "SIGKILL");
  await running.waitFor("worker died", 300);
  rmSync(join(running.folder, "crash"));
  const isQuiet = () => {
    const [child, ...others] = childrenOf(running.pid);
    return child !== undefined && others.length === 0 && argumentsOf(child)[0] === "sleep";
  };
  await waitUntil(isQuiet);
  await waitUntil(() => Object.keys(descriptorsOf(running.pid)).length === before);
  await waitUntil(() => running.all("worker died").length + 1 === running.all("worker launched").length);
});
