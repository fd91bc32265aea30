/** What a reader of the whole would try: descriptors that are scarce, and a mistake of our own. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Peer } from "../helpers/peer.ts";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

test("idle connections leave descriptors for workers and probes, however few there may be", async () => {
  await using running = new Running(
    `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`,
    { wrapper: ["sh", "-c", 'ulimit -n 120 && exec "$@"', "sh"] },
  );
  await running.waitFor("worker set running");
  const address = String(running.find("supervisor started")?.socket);
  const peers = Array.from({ length: 200 }, () => new Peer(address));
  // 120 less the supervisor's own 32, the worker's, and 8 for either door are halved between the doors.
  await waitUntil(() => peers.filter(({ isClosed }) => isClosed).length === 200 - (8 + 35));
  expect((await running.health("/healthz")).status).toBe(200);
  process.kill(Number(running.find("worker ready")?.pid), "SIGKILL");
  await running.waitFor("worker ready", 2);
  for (const peer of peers) peer[Symbol.dispose]();
  expect(await running.stop()).toBe(0);
});

test("a mistake of ours ends everything: exit 70, its stack in the log, and no worker outlives it", async () => {
  const program = join(import.meta.dir, "../fixtures/programs/mistaken-supervisor.ts");
  await using running = new Running(
    `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`,
    { program: (file) => [process.execPath, program, file] },
  );
  await running.waitFor("worker set running");
  const worker = Number(running.find("worker ready")?.pid);
  process.kill(running.pid, "SIGUSR1");
  expect(await running.process.exited).toBe(70);
  const mistake = (await running.waitFor("internal error")).at(-1);
  expect(mistake).toMatchObject({ level: "critical", exit_status: 70 });
  expect(String(mistake?.error)).toMatch(/^Error: a mistake of ours\n\s+at .*mistaken-supervisor\.ts/);
  await waitUntil(() => !isAlive(worker));
});
