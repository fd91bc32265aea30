/** Exits: none is lost, none is taken for another's (specification sections 3 and 4). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import { argumentsOf, childrenOf } from "../helpers/processes.ts";
import { Running, repository } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

function countOrphans(running: Running): number {
  return running.all("orphans reaped").reduce((sum, line) => sum + Number(line.count), 0);
}

test("a hundred orphans exit together with a worker: its status is its own, and nobody is launched for them", async () => {
  await using running = new Running(`${supervisor()}
    [workers.parent]
    type = "program"
    ack = "message"
    ${shell(`
      mkfifo gate open
      for i in $(seq 100); do ( ( exec < gate; echo >> waiting; read line; exit 3 ) & ); done
      ${ackByDescriptor}
      exec sleep 1000
    `)}
    [workers.leaver]
    type = "program"
    ack = "message"
    ${shell(`
      if [ -e left ]; then ${ackByDescriptor}; exec sleep 1000; fi
      until [ -p gate ] && [ -p open ]; do sleep 0.01; done
      exec 9> gate
      ${ackByDescriptor}
      read line < open
      touch left
      exit 37
    `)}
  `);
  await running.waitFor("worker ready", 2);
  const waiting = () => readFileSync(join(running.folder, "waiting"), "latin1").length;
  await waitUntil(() => childrenOf(running.pid).length === 102 && waiting() === 100);
  // The last writer of the gate goes with the worker, and that is what all hundred wait for.
  writeFileSync(join(running.folder, "open"), "now\n");
  await waitUntil(
    () => countOrphans(running) >= 100,
    () => `100 orphans in ${running.transcript()}`,
  );
  await running.waitFor("worker ready", 3);
  expect(countOrphans(running)).toBe(100);
  expect(running.all("worker died")).toEqual([expect.objectContaining({ set: "leaver", exit: "status 37" })]);
  expect(running.all("worker launched")).toHaveLength(3);
  expect(childrenOf(running.pid)).toHaveLength(2);
});

test("fifty workers die while the supervisor is held up: fifty deaths, fifty replacements, no zombie", async () => {
  const count = 50;
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = ${count}
    restart = { intensity = 1000 }
    ${cmdline("sleep", "1000")}
  `);
  const pids = (await running.waitFor("worker ready", count)).map(({ pid }) => Number(pid));
  running.signal("SIGSTOP");
  await waitUntil(() => readProcessStat(running.pid)?.state === "T");
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await waitUntil(() => pids.every((pid) => readProcessStat(pid)?.state === "Z"));
  running.signal("SIGCONT");
  await running.waitFor("worker ready", 2 * count);
  const died = running.all("worker died");
  expect(new Set(died.map(({ pid }) => pid))).toEqual(new Set(pids));
  expect(died).toHaveLength(count);
  expect(died.every(({ exit }) => exit === "signal KILL")).toBe(true);
  const areAlive = () => childrenOf(running.pid).every((pid) => argumentsOf(pid)[0] === "sleep");
  await waitUntil(() => childrenOf(running.pid).length === count && areAlive());
  expect(await (await running.health("/healthz")).text()).toStartWith("ok\nit: running, 50 of 50 ready");
});

test("workers that ack and exit at once: as many deaths as launches, each of a worker that there was", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 4
    ack = "message"
    restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
    ${shell(`${ackByDescriptor}; exit 0`)}
  `);
  await running.waitFor("worker died", 400);
  expect(await running.stop()).toBe(0);
  const idsOf = (...messages: string[]) =>
    running.all(({ msg }) => messages.includes(msg)).map(({ worker }) => worker);
  const launched = idsOf("worker launched");
  const gone = idsOf("worker died", "worker stopped", "worker killed");
  expect(new Set(launched).size).toBe(launched.length);
  expect(gone.toSorted()).toEqual(launched.toSorted());
  const ready = idsOf("worker ready");
  expect(new Set(ready).size).toBe(ready.length);
  expect(ready.filter((id) => !launched.includes(id))).toEqual([]);
  // Nothing of it is worth more than the deaths themselves.
  const graver = running.all(
    ({ level, msg }) => ["warning", "error", "critical"].includes(level) && msg !== "worker died",
  );
  expect(graver.filter(({ msg }) => msg !== "worker set underprovisioned")).toEqual([]);
});

test("the same with acks by the socket, which may come when their sender is gone", async () => {
  const say = join(repository, "test/fixtures/programs/say.ts");
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 2
    ack = "message"
    restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
    ${cmdline(process.execPath, say, "--leave", '{"action":"ack","id":"ID"}')}
  `);
  await running.waitFor("worker died", 20);
  expect(await running.stop()).toBe(0);
  const gone = running.all(({ msg }) => ["worker died", "worker stopped", "worker killed"].includes(msg));
  expect(gone).toHaveLength(running.all("worker launched").length);
  expect(running.find("refused a message on the socket")).toBeUndefined();
});

test("an orphan that outlives its worker in a session of its own is nobody's business until the stop", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`[ -e daemon ] || { setsid sh -c 'echo $$ > daemon; exec sleep 1000' & }; ${ackByDescriptor}; exec sleep 1000`)}
  `);
  const daemon = Number(await readLineOf(join(running.folder, "daemon")));
  const [first] = await running.waitFor("worker ready");
  process.kill(Number(first?.pid), "SIGKILL");
  await running.waitFor("worker ready", 2);
  await waitUntil(() => readProcessStat(daemon)?.parent === running.pid);
  process.kill(daemon, "SIGKILL");
  await waitUntil(() => readProcessStat(daemon) === undefined);
  await waitUntil(() => countOrphans(running) === 1);
  expect(running.all("worker died")).toHaveLength(1);
  expect(running.all("worker launched")).toHaveLength(2);
});
