/** Whatever somebody does on the supervisor's socket, it goes on, its memory and its log bounded (specification section 5). */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { Peer } from "../helpers/peer.ts";
import { descriptorsOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

let running: Running;
let address: string;
/** Open ones of the supervisor while nobody is connected. */
let quietDescriptors: number;

beforeAll(async () => {
  running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    restart = { intensity = 1000, backoff = "0s" }
    ${shell(`${ackByDescriptor}; exec sleep 1000`)}
  `);
  await running.waitFor("worker set running");
  address = String(running.find("supervisor started")?.socket);
  quietDescriptors = countDescriptors();
});

afterAll(async () => {
  expect(await running.stop()).toBe(0);
  await running[Symbol.asyncDispose]();
});

function refusals() {
  return running.all("refused a message on the socket");
}

/** It still sees a death, replaces the worker, takes its ack and answers: nobody has wedged it. */
async function expectAtWork(): Promise<void> {
  const deaths = running.all("worker died").length;
  const ready = running.all("worker ready");
  process.kill(Number(ready.at(-1)?.pid), "SIGKILL");
  await running.waitFor("worker died", deaths + 1);
  await running.waitFor("worker ready", ready.length + 1);
  expect((await running.health("/healthz")).status).toBe(200);
}

function countDescriptors(): number {
  return Object.keys(descriptorsOf(running.pid)).length;
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${running.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

test("nobody but the supervisor's user may connect", () => {
  expect(statSync(address).mode & 0o777).toBe(0o600);
});

test.each([
  ["what is not JSON", "hello\n", "the line is not JSON"],
  ["what is no object", "[1]\n", "a message is a JSON object, not an array"],
  ["an empty line", "\n", "the line is not JSON"],
  ["bytes that are no text", "\xff\xfe\0\n", "the line is not JSON"],
  ["an unknown action", '{"action":"reboot"}\n', '"action" must be one of ack, error, not "reboot"'],
  ["a preloader's message", '{"action":"ready"}\n', '"action" must be one of ack, error, not "ready"'],
  ["an ack without an id", '{"action":"ack"}\n', '"id" is missing'],
  ["an ack whose id is no text", '{"action":"ack","id":7}\n', '"id" must be a string, not 7'],
  [
    "an error in another's name",
    '{"action":"error","id":"x","message":"m"}\n',
    "an error may only be reported by the worker itself",
  ],
])("%s is refused with the reason, logged once, and closed", async (_, line, reason) => {
  const before = refusals().length;
  using peer = new Peer(address);
  peer.send(Buffer.from(line + line, "latin1"));
  const { error } = JSON.parse(await peer.closed());
  expect(error).toStartWith(reason);
  const refusal = (await running.waitFor("refused a message on the socket", before + 1)).at(-1);
  expect(refusal).toMatchObject({ level: "warning", peer_pid: process.pid, reason: error });
  await expectAtWork();
  expect(refusals()).toHaveLength(before + 1);
});

test("half a line and then the end of the connection is nothing to speak of", async () => {
  const before = refusals().length;
  await waitUntil(() => countDescriptors() === quietDescriptors);
  using peer = new Peer(address);
  peer.send('{"action":"ack","id"');
  await waitUntil(() => countDescriptors() === quietDescriptors + 1);
  peer[Symbol.dispose]();
  await waitUntil(() => countDescriptors() === quietDescriptors);
  await expectAtWork();
  expect(refusals()).toHaveLength(before);
});

test("a megabyte without a newline ends the connection at 64 KiB", async () => {
  const before = refusals().length;
  using peer = new Peer(address);
  peer.send("x".repeat(1024 * 1024));
  await peer.closed();
  const refusal = (await running.waitFor("refused a message on the socket", before + 1)).at(-1);
  expect(refusal).toMatchObject({ reason: "the line is longer than 64 KiB", peer_pid: process.pid });
  await expectAtWork();
});

test("peers that neither read nor hang up keep no descriptor once they are refused", async () => {
  const peers = Array.from({ length: 50 }, () => new Peer(address));
  for (const peer of peers) {
    peer.stopReading();
    peer.send("garbage\n".repeat(1000));
  }
  await waitUntil(() => peers.every((peer) => !peer.isConnecting));
  await waitUntil(() => countDescriptors() === quietDescriptors);
  await expectAtWork();
  for (const peer of peers) peer[Symbol.dispose]();
});

test("five hundred connections that say nothing, or half a line, and a slow one: all is done as ever", async () => {
  const before = residentBytes();
  const peers = Array.from({ length: 500 }, () => new Peer(address));
  for (const [index, peer] of peers.entries()) if (index % 2 === 0) peer.send("y".repeat(60_000));
  using slow = new Peer(address);
  await waitUntil(() => countDescriptors() === quietDescriptors + 501);
  for (const character of '{"action":"ack","id":"invented"}') {
    slow.send(character);
    await expectHealthy();
  }
  await expectAtWork();
  slow.send("\n");
  expect(JSON.parse(await slow.closed())).toEqual({ error: "no live worker has this id" });
  // Each may hold 64 KiB; what the allocator keeps besides is not ours to say.
  expect(residentBytes() - before).toBeLessThan(500 * 64 * 1024 + 50 * 1024 * 1024);
  for (const peer of peers) peer[Symbol.dispose]();
  await waitUntil(() => countDescriptors() === quietDescriptors);
});

async function expectHealthy(): Promise<void> {
  expect((await running.health("/livez")).status).toBe(200);
}

test("a flood of refused messages does not flood the log", async () => {
  const before = refusals().length;
  for (let wave = 0; wave < 5; wave += 1) {
    const peers = Array.from({ length: 100 }, () => new Peer(address));
    for (const peer of peers) peer.send("flood\n");
    await Promise.all(peers.map((peer) => peer.closed()));
  }
  await expectAtWork();
  expect(refusals().length - before).toBeLessThan(100);
});

test("connections never take the descriptors that launches and health answers need", async () => {
  await using poor = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`${ackByDescriptor}; exec sleep 1000`)}
  `,
    { wrapper: ["prlimit", "--nofile=256:256"] },
  );
  const [worker] = await poor.waitFor("worker ready");
  const peers = Array.from({ length: 400 }, () => new Peer(String(poor.find("supervisor started")?.socket)));
  await waitUntil(() => peers.filter(({ isClosed }) => isClosed).length > 256);
  process.kill(Number(worker?.pid), "SIGKILL");
  await poor.waitFor("worker ready", 2);
  expect((await poor.health("/readyz")).status).toBe(200);
  expect(poor.find("worker launch failed")).toBeUndefined();
  expect(poor.find("refused a message on the socket")).toMatchObject({ reason: "too many connections" });
  for (const peer of peers) peer[Symbol.dispose]();
});

test("idle connections leave descriptors for workers and probes, however few there may be", async () => {
  await using narrow = new Running(
    `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`,
    { wrapper: ["sh", "-c", 'ulimit -n 120 && exec "$@"', "sh"] },
  );
  await narrow.waitFor("worker set running");
  const address = String(narrow.find("supervisor started")?.socket);
  const peers = Array.from({ length: 200 }, () => new Peer(address));
  // 120 less the supervisor's own 32, the worker's, and 8 for either door are halved between the doors.
  await waitUntil(() => peers.filter(({ isClosed }) => isClosed).length === 200 - (8 + 35));
  expect((await narrow.health("/healthz")).status).toBe(200);
  process.kill(Number(narrow.find("worker ready")?.pid), "SIGKILL");
  await narrow.waitFor("worker ready", 2);
  for (const peer of peers) peer[Symbol.dispose]();
  expect(await narrow.stop()).toBe(0);
});
