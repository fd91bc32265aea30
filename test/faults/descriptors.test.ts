/** Descriptors that are scarce: because strangers take them, because the limit is too low, because it is lowered. */
import { afterEach, expect, setDefaultTimeout } from "bun:test";
import { Peer } from "../helpers/peer.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { after, rootObstacle, testUnless } from "./support.ts";

setDefaultTimeout(testTimeoutMs);

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function sleepers(settings = ""): string {
  return `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}\n${settings}`;
}

/** Connections that say what is given, and no more; counts those that the server has closed. */
class Strangers {
  closed = 0;

  async connect(port: number, count: number, text: string): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#connectOne(port, text)));
  }

  async #connectOne(port: number, text: string): Promise<void> {
    const onClose = () => {
      this.closed += 1;
    };
    const handlers = { data() {}, close: onClose };
    try {
      const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: handlers });
      cleanups.push(() => socket.terminate());
      if (text !== "") socket.write(text);
    } catch {
      onClose(); // Accepted and closed for a newer one before this process had a look at it.
    }
  }
}

async function healthPort(running: Running): Promise<number> {
  const [line] = await running.waitFor("health server listening");
  return Number(new URL(String(line?.url)).port);
}

async function killWorker(running: Running, readyBefore: number): Promise<void> {
  process.kill(Number(running.all("worker ready").at(-1)?.pid), "SIGKILL");
  await running.waitFor("worker ready", readyBefore + 1);
}

for (const [name, text] of [
  ["say nothing", ""],
  ["stop in the middle of a request", "GET /healthz HTTP/1.1\r\nHo"],
]) {
  testUnless(
    undefined,
    `with 100 descriptors and 300 connections to the health port that ${name}, probes are answered and workers launched`,
    async () => {
      await using running = new Running(sleepers("restart = { intensity = 3 }"), {
        wrapper: after("ulimit -n 100"),
      });
      await running.waitFor("worker set running");
      const strangers = new Strangers();
      await strangers.connect(await healthPort(running), 300, text ?? "");
      await waitUntil(() => strangers.closed > 200);
      for (let round = 1; round <= 3; round += 1) {
        expect((await running.health("/healthz")).status).toBe(200);
        await killWorker(running, round);
        await running.waitFor("worker set running", round + 1);
      }
      expect(running.find("worker launch put off")).toBeUndefined();
      expect(await running.stop()).toBe(0);
    },
  );
}

testUnless(undefined, "strangers at both doors at once leave the workers theirs, acks included", async () => {
  const acking = `[worker]\ntype = "program"\nack = "message"\ncount = 4\n${cmdline("sh", "-c", ackThenSleep)}`;
  await using running = new Running(`${supervisor()}\n${acking}`, { wrapper: after("ulimit -n 120") });
  await running.waitFor("worker set running");
  const peers = Array.from(
    { length: 200 },
    () => new Peer(String(running.find("supervisor started")?.socket)),
  );
  cleanups.push(() => {
    for (const peer of peers) peer[Symbol.dispose]();
  });
  const strangers = new Strangers();
  await strangers.connect(await healthPort(running), 300, "");
  await waitUntil(() => strangers.closed > 200 && peers.filter(({ isClosed }) => isClosed).length > 100);
  for (let round = 0; round < 3; round += 1) await killWorker(running, 4 + round);
  expect((await running.health("/healthz")).status).toBe(200);
  expect(running.find("worker launch put off")).toBeUndefined();
  expect(await running.stop()).toBe(0);
});

const ackThenSleep = `printf '{"action":"ack","id":"%s"}\\n' "$KLEINHIRN_WORKER_ID" >&"$KLEINHIRN_STATUS_FD"; exec sleep 1000`;

testUnless(
  undefined,
  "a limit that can't suffice is refused at start, with both numbers: exit 71",
  async () => {
    await using running = new Running(sleepers("count = 200"), { wrapper: after("ulimit -n 240") });
    expect(await running.exited()).toBe(71);
    expect(running.find("can't start")).toMatchObject({ level: "critical", exit_status: 71 });
    expect(String(running.find("can't start")?.reason)).toMatch(
      /only 240 open descriptors are allowed, and this configuration needs 248 .*ulimit -Hn/,
    );
    expect(running.find("worker launched")).toBeUndefined();
  },
);

testUnless(
  rootObstacle,
  "EMFILE at launches is waited out: no death, one error in the log, and the set runs when it is over",
  async () => {
    await using running = new Running(sleepers('restart = { intensity = 1, backoff_max = "200ms" }'));
    await running.waitFor("worker set running");
    limitDescriptors(running.pid, "8:");
    process.kill(Number(running.find("worker ready")?.pid), "SIGKILL");
    const putOff = await running.waitFor("worker launch put off", 8);
    expect(putOff.map(({ level }) => level)).toEqual(["error", ...Array(putOff.length - 1).fill("debug")]);
    expect(putOff[0]).toMatchObject({ reason: "EMFILE", set: "it", slot: 0 });
    limitDescriptors(running.pid, "1000:");
    await running.waitFor("worker set running", 2);
    const health = await running.health("/healthz", { headers: { accept: "application/json" } });
    expect(await health.json()).toMatchObject({ status: "ok", sets: [{ deaths: 1 }] });
    expect(await running.stop()).toBe(0);
  },
);

function limitDescriptors(pid: number, limits: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["prlimit", "--pid", String(pid), `--nofile=${limits}`]);
  if (exitCode !== 0) throw new Error(stderr.toString());
}
