/** The health port in bad company: whatever arrives there, a probe gets its answer, and the workers notice nothing. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Dice } from "../core/random/dice.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { waitUntil } from "../helpers/wait.ts";
import type { Probes } from "./programs/prober.ts";
import { announce, grouped, plainOrDeep, say, seed } from "./support/campaign.ts";
import { hostileRequest } from "./support/hostile-requests.ts";
import { countDescriptorsOf, mebibytes, peakBytesOf, privateBytesOf } from "./support/process-use.ts";
import { RawPeer } from "./support/raw-peer.ts";

announce("test/fuzz/http.test.ts");
setDefaultTimeout(plainOrDeep(300_000, 3_600_000));

/** The promise is 100 ms on a machine that is free, and far less is usual; here anything may run beside it. */
const mostMedianMs = 1000;
const mostProbeMs = 5000;
const attackers = 50;
const slackBytes = 48 * 2 ** 20;
const gigabyte = 2 ** 30;
const chunk = new Uint8Array(256 * 1024).fill(0x78);
const get = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

let running: Running;
let target: { readonly hostname: string; readonly port: number };
let quietDescriptors: number;
let quietBytes: number;

beforeAll(async () => {
  running = new Running(`${supervisor()}
    [worker]
    type = "program"
    count = 2
    ${cmdline("sleep", "100000")}
  `);
  await running.waitFor("worker set running");
  target = {
    hostname: "127.0.0.1",
    port: Number(new URL(String(running.find("health server listening")?.url)).port),
  };
  quietDescriptors = countDescriptorsOf(running.pid);
  quietBytes = privateBytesOf(running.pid);
});

afterAll(async () => {
  expect(running.all("worker ready")).toHaveLength(2);
  expect(running.lines.filter(({ level }) => ["critical", "error", "warning"].includes(level))).toEqual([]);
  expect(await running.stop()).toBe(0);
  await running[Symbol.asyncDispose]();
});

/** Asks as a probe does, by a connection of its own. */
async function expectProbeAnswered(): Promise<void> {
  const answer = await running.health("/healthz");
  expect([answer.status, await answer.text()]).toEqual([200, "ok\nit: running, 2 of 2 ready\n"]);
}

/** Another process probes while the work goes on. @returns how long each answer took in ms, in order of that. */
async function probeDuring(work: () => Promise<unknown>): Promise<readonly number[]> {
  const program = join(import.meta.dir, "programs/prober.ts");
  const url = `http://${target.hostname}:${target.port}/healthz`;
  const prober = Bun.spawn([process.execPath, program, url], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const output = linesOf(prober.stdout);
    expect((await output.next()).value).toBe("probing");
    await work();
    await prober.stdin.end();
    // Reason for the cast: the program is ours, and prints this.
    const probes = JSON.parse((await output.next()).value ?? "") as Probes;
    expect(probes.statuses).toEqual([200]);
    return probes.tookMs.toSorted((left, right) => left - right);
  } finally {
    prober.kill("SIGKILL");
    await prober.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function expectPrompt(took: readonly number[]): void {
  expect(took[took.length >> 1]).toBeLessThan(mostMedianMs);
  expect(took.at(-1)).toBeLessThan(mostProbeMs);
}

function describeTimes(took: readonly number[]): string {
  const at = (share: number) => (took[Math.floor((took.length - 1) * share)] ?? Number.NaN).toFixed(1);
  return `${took.length} probes: median ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms, all within ${at(1)} ms`;
}

async function expectQuiet(): Promise<void> {
  await waitUntil(
    () => countDescriptorsOf(running.pid) <= quietDescriptors,
    () => `${quietDescriptors} descriptors, not ${countDescriptorsOf(running.pid)}`,
  );
  await waitUntil(
    () => privateBytesOf(running.pid) < quietBytes + slackBytes,
    () => `${mebibytes(quietBytes)} of memory, not ${mebibytes(privateBytesOf(running.pid))}`,
  );
}

const statuses = /^HTTP\/1\.1 (100|200|400|404|405|413|414|417|431|500|501|503|505) /;

/** Whatever is answered is HTTP, and names no path of the machine and nothing of the program. */
async function sendHostileRequest(dice: Dice): Promise<string> {
  using peer = await RawPeer.connect(target);
  const bytes = hostileRequest(dice);
  await peer.send(bytes);
  // Half of them wait for what comes, by saying that they are done; the others are gone before.
  if (dice.chance(0.5)) return "";
  peer.shutDown();
  await peer.closed();
  const { answer } = peer;
  if (answer !== "" && (!statuses.test(answer) || /\/(src|home|root|tmp)\/|\.ts\b/.test(answer)))
    throw new Error(`${Buffer.from(bytes).toBase64()} was answered by ${JSON.stringify(answer)}`);
  return answer.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
}

test("raw bytes, requests with changes, many in one piece: an answer in HTTP or none, and every probe has its own", async () => {
  const count = plainOrDeep(10_000, 100_000);
  const answers = new Map<string, number>();
  const dice = new Dice(seed);
  let begun = 0;
  const one = async () => {
    while (begun < count) {
      begun += 1;
      const status = await sendHostileRequest(new Dice(dice.below(2 ** 32)));
      answers.set(status, (answers.get(status) ?? 0) + 1);
    }
  };
  const took = await probeDuring(() => Promise.all(Array.from({ length: attackers }, one)));
  const tally = [...answers].map(([status, n]) => `${n} × ${status === "" ? "nothing" : status}`).join(", ");
  say(`${grouped(count)} connections: ${tally}; ${describeTimes(took)}`);
  expect(answers.get("400") ?? 0).toBeGreaterThan(count / 20);
  expect(answers.get("500")).toBeUndefined();
  expectPrompt(took);
  await expectQuiet();
});

test("a thousand requests in one piece have one answer, which says that it is the last", async () => {
  using peer = await RawPeer.connect(target);
  await peer.send(get.repeat(1000));
  await waitUntil(() => peer.isClosed);
  expect(peer.answer.split("HTTP/1.1 200 OK")).toHaveLength(2);
  expect(peer.answer).toContain("\r\nConnection: close\r\n");
});

test("who sends a request and says that it was the last has its answer", async () => {
  using peer = await RawPeer.connect(target);
  await peer.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.shutDown();
  expect(await peer.answered("ready\n")).toStartWith("HTTP/1.1 200 OK");
});

test.each([
  ["of a header", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: "],
  ["of a path", "GET /"],
  ["of nothing at all", ""],
])("a gigabyte %s is not read to its end", async (_, start) => {
  using peer = await RawPeer.connect(target);
  await peer.send(start);
  const took = await probeDuring(() => sendEndlessly(peer));
  expect(peer.isClosed).toBeTrue();
  expect(peer.sentBytes).toBeLessThan(32 * 2 ** 20);
  expectPrompt(took);
  await expectQuiet();
});

test.each([
  ["announced", `Content-Length: ${gigabyte}\r\n\r\n`],
  ["chunked", "Transfer-Encoding: chunked\r\n\r\n40000000\r\n"],
])("a gigabyte of body, %s, is refused at once and kept nowhere", async (_, headers) => {
  using peer = await RawPeer.connect(target);
  await peer.send(`POST /healthz HTTP/1.1\r\nHost: a\r\n${headers}`);
  expect(await peer.answered("allowed\n")).toStartWith("HTTP/1.1 405");
  const took = await probeDuring(() => sendEndlessly(peer));
  expectPrompt(took);
  peer[Symbol.dispose]();
  await expectQuiet();
});

async function sendEndlessly(peer: RawPeer): Promise<void> {
  while (!peer.isClosed && peer.sentBytes < gigabyte) await peer.send(chunk);
}

test("who asks and asks and never reads is given up", async () => {
  using peer = await RawPeer.connect(target);
  peer.stopReading();
  const asked = askForEver(peer);
  await waitUntil(() => peer.sentBytes > 100 * get.length);
  await expectProbeAnswered();
  await waitUntil(
    () => countDescriptorsOf(running.pid) <= quietDescriptors,
    () => "the connection to be closed",
  );
  peer[Symbol.dispose]();
  await asked;
  await expectQuiet();
});

async function askForEver(peer: RawPeer): Promise<void> {
  const many = get.repeat(10_000);
  while (!peer.isClosed) await peer.send(many);
}

test("2,000 connections that say nothing, or half of something, or a byte at a time: a probe is answered as ever", async () => {
  const connect = () => RawPeer.connect(target);
  const peers: RawPeer[] = [];
  while (peers.length < 2000) peers.push(...(await Promise.all(Array.from({ length: 100 }, connect))));
  for (const peer of peers.slice(0, 700)) await peer.send("GET /healthz HTTP/1.1\r\nHo");
  const took = await probeDuring(() => sendSlowly(peers.slice(700, 1400)));
  say(
    `with ${grouped(peers.filter(({ isClosed }) => !isClosed).length)} other connections: ${describeTimes(took)}`,
  );
  expectPrompt(took);
  for (const peer of peers) peer[Symbol.dispose]();
  await expectQuiet();
  expect(peakBytesOf(running.pid)).toBeLessThan(192 * 2 ** 20);
});

/** Every header's next byte, again and again; none of them ever ends. */
async function sendSlowly(peers: readonly RawPeer[]): Promise<void> {
  for (const byte of "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: yyyy") {
    for (const peer of peers) await peer.send(byte);
    // Whoever has room for a byte takes it without a wait, and nothing else would get a turn in this process.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
