import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WarningLimiter } from "../../src/workers/warning-limiter.ts";
import { type SocketSystem, WorkerSocket, type WorkerSocketPorts } from "../../src/workers/worker-socket.ts";
import { Peer } from "../helpers/peer.ts";
import { waitUntil } from "../helpers/wait.ts";
import { Clock, type Timer } from "../simulation/kernel/clock.ts";

const folder = mkdtempSync(join(tmpdir(), "kleinhirn-"));
const address = join(folder, "s.sock");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a mistake of ours while a message is handled ends the process: Bun doesn't get to keep it", async () => {
  const program = join(import.meta.dir, "../fixtures/programs/mistaken-socket.ts");
  const child = Bun.spawn([process.execPath, program, address], { stdout: "pipe", stderr: "inherit" });
  try {
    const reader = child.stdout.getReader();
    const first = await reader.read();
    expect(Buffer.from(first.value ?? []).toString()).toBe("listening\n");
    using peer = new Peer(address);
    peer.send('{"action":"ack","id":"x-1"}\n');
    const said = await reader.read();
    expect(Buffer.from(said.value ?? []).toString()).toBe("uncaught: a mistake of ours\n");
    expect(await child.exited).toBe(70);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

const idlePorts: WorkerSocketPorts = {
  peerPid: () => process.pid,
  offerAck: () => {},
  onWorkerError: () => true,
  onConnected: () => false,
  onMessage: () => undefined,
  onDisconnected: () => {},
  warn: () => {},
  nowMs: () => 0,
  setTimer: () => () => {},
  limiter: new WarningLimiter(1, 1),
};

test("a flood of error reports is refused beyond a bound: each would be a backtrace in the log", async () => {
  let taken = 0;
  const busy = join(folder, "busy.sock");
  const socket = new WorkerSocket(busy, {
    ...idlePorts,
    // Connections of this very process are taken for the socket's own.
    peerPid: () => 1,
    onWorkerError: () => {
      taken += 1;
      return true;
    },
  });
  const peers = Array.from({ length: 150 }, () => new Peer(busy));
  for (const peer of peers) peer.send('{"action":"error","id":"x-1","message":"m","error":"e"}\n');
  const answers = await Promise.all(peers.map((peer) => peer.closed()));
  socket.stop();
  expect(taken).toBe(100);
  expect(answers.filter((answer) => answer === '{"error":"too many errors are reported"}\n')).toHaveLength(
    50,
  );
});

test("an ack is heard while more connections than there may be say nothing: those silent for longest have to go", async () => {
  const heard: string[] = [];
  const crowded = join(folder, "crowded.sock");
  const socket = new WorkerSocket(crowded, {
    ...idlePorts,
    peerPid: () => 1,
    maxConnections: 10,
    offerAck: (id, _, reply) => {
      heard.push(id);
      reply({ kind: "accepted" });
    },
  });
  const silent = Array.from({ length: 30 }, () => new Peer(crowded));
  for (const peer of silent.slice(0, 15)) peer.send('{"action":');
  await waitUntil(() => silent.filter(({ isClosed }) => isClosed).length === 20);
  expect(silent.slice(20).some(({ isClosed }) => isClosed)).toBeFalse();
  using worker = new Peer(crowded);
  worker.send('{"action":"ack","id":"x-1"}\n');
  expect(await worker.closed()).toBe('{"ok":true}\n');
  expect(heard).toEqual(["x-1"]);
  for (const peer of silent) peer[Symbol.dispose]();
  socket.stop();
});

test("a preloader may be silent for ever: Bun's own 120 s for every connection are not for it", () => {
  let open: (socket: object) => void = () => {};
  // It has the one function that is called, of Bun's many.
  const system = {
    listen: ({ socket }: { socket: { open: typeof open } }) => {
      open = socket.open;
      return { stop: () => {} };
    },
  } as unknown as SocketSystem;
  const connect = (isPreloader: boolean) => {
    const timeouts: number[] = [];
    new WorkerSocket("@silent", { ...idlePorts, peerPid: () => 1, onConnected: () => isPreloader }, system);
    open({ fd: -1, timeout: (seconds: number) => timeouts.push(seconds) });
    return timeouts;
  };
  expect(connect(true)).toEqual([0]);
  expect(connect(false)).toEqual([30]);
});

test("a preloader's connections take no worker's place", async () => {
  const shared = join(folder, "shared.sock");
  let accepted = 0;
  const socket = new WorkerSocket(shared, {
    ...idlePorts,
    peerPid: () => 1,
    maxConnections: 2,
    // The first two are preloaders'.
    onConnected: () => {
      accepted += 1;
      return accepted <= 2;
    },
    offerAck: (_id, _pid, reply) => reply({ kind: "accepted" }),
  });
  const preloaders = [new Peer(shared), new Peer(shared)];
  await waitUntil(() => accepted === 2);
  const workers = [new Peer(shared), new Peer(shared)];
  await waitUntil(() => accepted === 4);
  for (const worker of workers) worker.send('{"action":"ack","id":"x-1"}\n');
  expect(await Promise.all(workers.map((worker) => worker.closed()))).toEqual([
    '{"ok":true}\n',
    '{"ok":true}\n',
  ]);
  for (const preloader of preloaders) preloader[Symbol.dispose]();
  socket.stop();
});

/** A kernel of which only the connections to ourselves matter; each waits for `accept` or `refuse`. */
class Backlog {
  #open: (socket: object) => void = () => {};
  readonly #refusals: ((error: Error) => void)[] = [];
  readonly clock = new Clock();
  joined = 0;

  readonly system = {
    listen: ({ socket }: { socket: { open: (socket: object) => void } }) => {
      this.#open = socket.open;
      return { stop: () => {} };
    },
    connect: () => {
      this.joined += 1;
      return new Promise((_, reject) => this.#refusals.push(reject));
    },
    // It has the two functions that are called, of Bun's many.
  } as unknown as SocketSystem;

  accept(): void {
    this.#open({ fd: -1, end: () => {} });
  }

  refuse(code: string): void {
    this.#refusals.at(-1)?.(Object.assign(new Error(code), { code }));
  }

  /** The timer for the next try: it is set once the refusal has been taken in. */
  async timer(): Promise<Timer> {
    await waitUntil(() => this.clock.nextTimer() !== undefined);
    const timer = this.clock.nextTimer();
    if (timer === undefined) throw new Error("no timer");
    return timer;
  }
}

function openOn(backlog: Backlog): WorkerSocket {
  return new WorkerSocket("@backlog", { ...idlePorts, setTimer: backlog.clock.setTimer }, backlog.system);
}

test("a backlog that is full is waited for: it has not been read yet", async () => {
  const backlog = new Backlog();
  let reads = 0;
  openOn(backlog).readBacklog(() => {
    reads += 1;
  });
  backlog.refuse("ECONNREFUSED");
  const timer = await backlog.timer();
  expect(timer.atMs - backlog.clock.nowMs).toBe(10);
  expect(backlog.joined).toBe(1);
  backlog.clock.fire(timer);
  expect(backlog.joined).toBe(2);
  expect(reads).toBe(0);
  backlog.accept();
  expect(reads).toBe(1);
});

test("a backlog that stays full is given up after half a second: a preloader's end can't wait for ever", async () => {
  const backlog = new Backlog();
  let reads = 0;
  openOn(backlog).readBacklog(() => {
    reads += 1;
  });
  const beganMs = backlog.clock.nowMs;
  for (let tries = 0; tries < 50; tries += 1) {
    backlog.refuse("ECONNREFUSED");
    backlog.clock.fire(await backlog.timer());
  }
  expect(backlog.clock.nowMs - beganMs).toBe(500);
  expect(reads).toBe(0);
  backlog.refuse("ECONNREFUSED");
  await waitUntil(() => reads === 1);
  expect(backlog.joined).toBe(51);
});

test("who asks while a connection is on its way gets one of its own, and each is answered once", () => {
  const backlog = new Backlog();
  const socket = openOn(backlog);
  const answered: string[] = [];
  socket.readBacklog(() => answered.push("first"));
  socket.readBacklog(() => answered.push("second"));
  backlog.accept();
  expect(answered).toEqual(["first"]);
  backlog.accept();
  expect(answered).toEqual(["first", "second"]);
  expect(backlog.joined).toBe(2);
});

test("with the socket's file gone nobody can be waiting in its backlog", async () => {
  const backlog = new Backlog();
  let reads = 0;
  openOn(backlog).readBacklog(() => {
    reads += 1;
  });
  backlog.refuse("ENOENT");
  await waitUntil(() => reads === 1);
  expect(backlog.joined).toBe(1);
});

test("what waited in the backlog of a socket that is made anew is waited for no more, and the next one is read", () => {
  const backlog = new Backlog();
  const socket = openOn(backlog);
  let reads = 0;
  const count = () => {
    reads += 1;
  };
  socket.readBacklog(count);
  socket.listenAgain();
  expect(reads).toBe(1);
  socket.readBacklog(count);
  expect(backlog.joined).toBe(2);
  backlog.accept();
  expect(reads).toBe(2);
});
