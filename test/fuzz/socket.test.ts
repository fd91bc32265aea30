/** Ten thousand connections that mean no good, against a real supervisor that has work to do meanwhile. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Dice } from "../core/random/dice.ts";
import { isDeep } from "../helpers/deep.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, shell, supervisor } from "../helpers/settings.ts";
import { waitUntil } from "../helpers/wait.ts";
import { announce, grouped, plainOrDeep, say, seed } from "./support/campaign.ts";
import { countDescriptorsOf, mebibytes, peakBytesOf, privateBytesOf } from "./support/process-use.ts";
import { Idlers, RawPeer } from "./support/raw-peer.ts";
import { attackNames, attackOnce } from "./support/socket-attacks.ts";

announce("test/fuzz/socket.test.ts");
setDefaultTimeout(plainOrDeep(300_000, 3_600_000));

/** At one time; as many again are held open by those who hold on. */
const attackers = 100;
const heldOpen = 300;
const attacksPerRenewal = 200;

/** From the death to the replacement's ack; a few hundredths of a second here, but the machine may be busy. */
const promptMs = 5000;

/** Beside what each connection that is held open may keep of a line, and what the heap of Bun keeps for later. */
const slackBytes = 48 * 2 ** 20;

let running: Running;
let address: string;
let quietDescriptors: number;

beforeAll(async () => {
  running = new Running(
    `${supervisor()}
    [workers.calm]
    type = "program"
    count = 3
    ack = "message"
    ${shell(`${ackByDescriptor}; exec sleep 100000`)}
    [workers.renewed]
    type = "ruby"
    load = "app.rb"
    start_expression = "KleinhirnLoader.ack; sleep"
    restart = { intensity = 1000000, backoff = "0s" }
  `,
    { files: { "app.rb": "" } },
  );
  await running.waitFor("worker set running", 2);
  address = String(running.find("supervisor started")?.socket);
  quietDescriptors = countDescriptorsOf(running.pid);
});

afterAll(async () => {
  expect(await running.stop()).toBe(0);
  await running[Symbol.asyncDispose]();
});

function readyOnes(set: string) {
  return running.all(({ msg, set: name }) => msg === "worker ready" && name === set);
}

/** Kills the forked worker; its replacement acks over the very socket that is under attack. @returns how long it took. */
async function renew(): Promise<number> {
  const ready = readyOnes("renewed");
  const startedAt = performance.now();
  process.kill(Number(ready.at(-1)?.pid), "SIGKILL");
  await waitUntil(
    () => readyOnes("renewed").length > ready.length,
    () => `another worker that is ready in:\n${running.transcript().slice(-5000)}`,
  );
  return performance.now() - startedAt;
}

/** Whom nobody has asked to go is still there, and nobody has ever died but by our own hand. */
function expectUntouched(renewals: number): void {
  expect(readyOnes("calm")).toHaveLength(3);
  const deaths = running.all("worker died");
  expect(deaths.filter(({ set }) => set !== "renewed")).toEqual([]);
  expect(deaths).toHaveLength(renewals);
  const preloading = running.lines.filter(
    ({ msg, level }) => msg.startsWith("preloader") && level !== "debug",
  );
  expect(preloading.map(({ msg }) => msg)).toEqual(["preloader launched", "preloader ready"]);
  expect(running.lines.filter(({ level }) => level === "critical" || level === "error")).toEqual([]);
}

async function expectQuiet(): Promise<void> {
  await waitUntil(
    () => countDescriptorsOf(running.pid) === quietDescriptors,
    () => `${quietDescriptors} descriptors, not ${countDescriptorsOf(running.pid)}`,
  );
}

type Campaign = { readonly tally: Map<string, number>; mostTakenBytes: number; begun: number; done: number };

async function attack(count: number, dice: Dice, campaign: Campaign): Promise<void> {
  using idlers = new Idlers(heldOpen);
  const surroundings = {
    address,
    idlers,
    workerIds: readyOnes("calm").map(({ worker }) => String(worker)),
    onEndlessLine: (bytes: number) => {
      campaign.mostTakenBytes = Math.max(campaign.mostTakenBytes, bytes);
    },
  };
  const one = async () => {
    while (campaign.begun < count) {
      campaign.begun += 1;
      const name = await attackOnce(dice, surroundings);
      campaign.tally.set(name, (campaign.tally.get(name) ?? 0) + 1);
      campaign.done += 1;
    }
  };
  await Promise.all(Array.from({ length: attackers }, one));
}

/** Goes on as long as the attack does. @returns how long each replacement took. */
async function renewMeanwhile(count: number, campaign: Campaign): Promise<number[]> {
  const took: number[] = [];
  for (let next = 0; next < count; next += attacksPerRenewal) {
    await waitUntil(() => campaign.done >= next);
    took.push(await renew());
    expect((await running.health("/healthz")).status).toBeOneOf([200, 503]);
  }
  return took;
}

let renewals = 0;

test("ten thousand connections of every bad kind: memory, descriptors and workers are what they were, acks are prompt", async () => {
  const dice = new Dice(seed);
  const newCampaign = (): Campaign => ({ tally: new Map(), mostTakenBytes: 0, begun: 0, done: 0 });
  // Bun's heap has its size for such a load only after one.
  await attack(500, dice, newCampaign());
  await expectQuiet();
  const before = privateBytesOf(running.pid);

  const count = plainOrDeep(10_000, 100_000);
  const campaign = newCampaign();
  const startedAt = performance.now();
  const [took] = await Promise.all([renewMeanwhile(count, campaign), attack(count, dice, campaign)]);
  const seconds = (performance.now() - startedAt) / 1000;
  renewals += took.length;

  await expectQuiet();
  await waitUntil(
    () => privateBytesOf(running.pid) < before + slackBytes,
    () => `${mebibytes(before)} of memory, not ${mebibytes(privateBytesOf(running.pid))}`,
  );
  say(
    `${grouped(campaign.done)} connections in ${seconds.toFixed(1)} s, ${[...campaign.tally].map(([name, n]) => `${n} × ${name}`).join(", ")}`,
  );
  say(
    `memory ${mebibytes(before)} before, ${mebibytes(privateBytesOf(running.pid))} after, ${mebibytes(peakBytesOf(running.pid))} ` +
      `resident at the most; ${took.length} replacements ready within ${Math.max(...took).toFixed(0)} ms`,
  );
  expect([...campaign.tally.keys()].sort()).toEqual([...attackNames].sort());
  expect(campaign.mostTakenBytes).toBeWithin(1, 2 * 2 ** 20);
  expect(peakBytesOf(running.pid)).toBeLessThan(256 * 2 ** 20);
  expect(Math.max(...took)).toBeLessThan(promptMs);
  expectUntouched(renewals);
});

test("three thousand silent connections, more than there may be: a new worker's ack is still taken at once", async () => {
  await expectQuiet();
  const silent = await Promise.all(Array.from({ length: 3000 }, () => RawPeer.connect({ unix: address })));
  await waitUntil(() => silent.filter(({ isClosed }) => isClosed).length >= 3000 - 2048);
  for (let round = 0; round < 5; round += 1) {
    expect(await renew()).toBeLessThan(promptMs);
    renewals += 1;
  }
  for (const peer of silent) peer[Symbol.dispose]();
  await expectQuiet();
  expectUntouched(renewals);
});

test("a flood that is refused is a few lines in the log, and the rest of it is counted there", async () => {
  const refusals = running.all("refused a message on the socket");
  const { length: seen } = running.lines;
  const span = Date.parse(String(running.lines[seen - 1]?.ts)) - Date.parse(String(running.lines[0]?.ts));
  // Twenty in each window of ten seconds, of which two may be but begun.
  expect(refusals.length).toBeLessThanOrEqual(20 * (span / 10_000 + 2));
});

test("a gigabyte in one line, and a hundred thousand lines, on a worker's own ack descriptor", async () => {
  await using own = new Running(`${supervisor()}
    [workers.endless]
    type = "program"
    ack = "message"
    ${shell(`head -c 1073741824 /dev/zero >&"$KLEINHIRN_STATUS_FD"; : > said; exec sleep 100000`)}
    [workers.talkative]
    type = "program"
    ack = "message"
    ${shell(`yes '{"action":"ack","id":"invented"}' | head -n 100000 >&"$KLEINHIRN_STATUS_FD"; ${ackByDescriptor}; exec sleep 100000`)}
  `);
  await own.waitFor("worker launched", 2);
  const descriptors = countDescriptorsOf(own.pid);
  const [ready] = await own.waitFor("worker ready");
  expect(ready).toMatchObject({ set: "talkative" });
  await waitUntil(() => existsSync(join(own.folder, "said")));
  expect((await own.health("/livez")).status).toBe(200);
  const warnings = own.all("refused a message on an ack descriptor").map(({ reason }) => reason);
  expect(warnings.toSorted()).toEqual(["the ack names another worker", "the line is longer than 64 KiB"]);
  say(`after a gigabyte on an ack descriptor: ${mebibytes(peakBytesOf(own.pid))} resident at the most`);
  expect(peakBytesOf(own.pid)).toBeLessThan(192 * 2 ** 20);
  await waitUntil(() => countDescriptorsOf(own.pid) <= descriptors);
  expect(own.find("worker died")).toBeUndefined();
  expect(await own.stop()).toBe(0);
});

if (isDeep) {
  test("a preloader that has had nothing to say for longer than Bun waits for anybody is still there", async () => {
    await using own = new Running(
      `${supervisor()}
      [worker]
      type = "ruby"
      load = "app.rb"
      start_expression = "KleinhirnLoader.ack; sleep"
    `,
      { files: { "app.rb": "" } },
    );
    const [ready] = await own.waitFor("worker ready");
    // Bun's own patience is 120 s and can't be made shorter from outside, so this one time time itself is waited for.
    await Bun.sleep(130_000);
    process.kill(Number(ready?.pid), "SIGKILL");
    await own.waitFor("worker ready", 2);
    expect(own.all("preloader ready")).toHaveLength(1);
    expect(own.find("preloader died")).toBeUndefined();
    expect(await own.stop()).toBe(0);
  });
}
