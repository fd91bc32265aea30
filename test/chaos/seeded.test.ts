/**
 * A seeded run on real processes: for some seconds everything happens that can, then the log and /proc are held to the promises.
 * The seed says what is tried in what order, not what comes of it: the machine has a say in that. `KLEINHIRN_CHAOS_SEED`
 * takes one, `KLEINHIRN_CHAOS_SECONDS` says for how long.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signalIfThere } from "../../script/lib/processes.ts";
import { Dice } from "../core/random/dice.ts";
import { type LogLine, Running } from "../helpers/running.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { type HealthReport, reportOf } from "./health-report.ts";
import { LogAudit } from "./log-audit.ts";
import { compareEnds } from "./monkey/causes.ts";
import { findDoubles } from "./monkey/doubles.ts";
import { counts, fleet, programs, startOptions } from "./monkey/fleet.ts";
import { Monkey } from "./monkey/monkey.ts";
import { countDescriptors, expectNoZombies, privateBytesOf } from "./resources.ts";
import { scale } from "./scale.ts";

const seed = Number(process.env.KLEINHIRN_CHAOS_SEED ?? Date.now() % 2 ** 31);
const seconds = Number(process.env.KLEINHIRN_CHAOS_SECONDS ?? scale(12, 300));
setDefaultTimeout(seconds * 2000 + 3 * testTimeoutMs);

const total = Object.values(counts).reduce((sum, count) => sum + count);
const mostGrowthBytes = 48 * 1024 * 1024;

test(`a seeded run: whatever is killed, stopped, orphaned, filled and taken away (KLEINHIRN_CHAOS_SEED=${seed})`, async () => {
  console.log(`KLEINHIRN_CHAOS_SEED=${seed} KLEINHIRN_CHAOS_SECONDS=${seconds}`);
  const dice = new Dice(seed);
  await using running = new Running(fleet, startOptions(seed));
  await told(() => runAndInspect(running, dice));
});

async function runAndInspect(running: Running, dice: Dice): Promise<void> {
  const audit = new LogAudit([], counts);
  const before = await takeStock(running);
  const monkey = await wreakHavoc(running, dice, seconds);
  await calmDown(running, audit);

  await expectHealthOfTheLog(running, audit);
  await expectNoZombies(running.pid);
  await waitUntil(
    () => countDescriptors(running.pid) <= before.descriptors,
    () => `${countDescriptors(running.pid)} descriptors to be ${before.descriptors} again`,
  );
  const growth = privateBytesOf(running.pid) - before.bytes;
  expect(growth).toBeLessThan(mostGrowthBytes);

  await stopSomehow(running, dice);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", exit_status: 0 });
  expect(audit.readOn(running.lines).violations).toEqual([]);
  expect(audit.living()).toEqual([]);
  expect(compareEnds(audit.lives.values(), running.lines, monkey.strikes)).toEqual([]);
  // A shell says how a child of its ended; that much is allowed, half an event is not.
  expect(running.output).toMatch(/^((Terminated|Killed|Aborted.*)\n)*$/);
  tellRun(running, monkey, growth);
}

/** A failure that leaves processes behind is two, of which Bun shows neither. */
async function told(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    console.error(error);
    throw error;
  }
}

test(`the same, and the log's reader goes for good (KLEINHIRN_CHAOS_SEED=${seed})`, async () => {
  const dice = new Dice(seed + 1);
  await using running = new Running(fleet, startOptions(seed + 1));
  await told(async () => {
    await takeStock(running);
    process.kill(Number(await readLineOf(join(running.folder, "log-reader"))), "SIGKILL");
    await wreakHavoc(running, dice, Math.ceil(seconds / 3));
    writeFileSync(join(running.folder, "calm"), "");
    await waitUntil(async () => isServing(await reportOf(running)));
    await expectNoZombies(running.pid);
    await stopSomehow(running, dice);
  });
});

/** Everybody is there, and begins to misbehave only now. */
async function takeStock(
  running: Running,
): Promise<{ readonly descriptors: number; readonly bytes: number }> {
  await running.waitFor("worker set running", Object.keys(counts).length);
  const stock = { descriptors: countDescriptors(running.pid), bytes: privateBytesOf(running.pid) };
  rmSync(join(running.folder, "calm"));
  return stock;
}

async function wreakHavoc(running: Running, dice: Dice, forSeconds: number): Promise<Monkey> {
  const [logReader = 0, outReader = 0] = await Promise.all(
    ["log-reader", "out-reader"].map(async (name) => Number(await readLineOf(join(running.folder, name)))),
  );
  const monkey = new Monkey(running, dice, { logReader, outReader });
  try {
    const untilMs = performance.now() + forSeconds * 1000;
    while (performance.now() < untilMs) {
      monkey.act();
      expect(findDoubles(running.pid)).toEqual([]);
      await Bun.sleep(dice.below(30));
    }
  } finally {
    monkey.rest();
  }
  return monkey;
}

async function calmDown(running: Running, audit: LogAudit): Promise<void> {
  writeFileSync(join(running.folder, "calm"), "");
  await waitUntil(
    async () => isServing(await reportOf(running)) && audit.readOn(running.lines).living().length === total,
    () => `peace in:\n${running.transcript()}`,
  );
}

function isServing({ status, sets }: HealthReport): boolean {
  return status === "ok" && sets.every(({ ready, count }) => ready === count);
}

async function expectHealthOfTheLog(running: Running, audit: LogAudit): Promise<void> {
  const report = await reportOf(running);
  audit.readOn(running.lines);
  const said = report.sets.flatMap(({ name, workers }) =>
    workers.map(({ slot, id, pid, phase }) => `${name}.${slot} ${id} ${pid} ${phase}`),
  );
  const logged = audit.living().map(({ set, slot, id, pid }) => `${set}.${slot} ${id} ${pid} ready`);
  expect(said.toSorted()).toEqual(logged.toSorted());
  for (const set of programs) {
    const deaths = running.all((line) => line.set === set && isDeath(line)).length;
    expect(report.sets.find(({ name }) => name === set)?.deaths).toBe(deaths);
  }
}

/** Specification section 3: every exit that nobody asked for, a launch that failed, and an ack that didn't come. */
function isDeath({ msg }: LogLine): boolean {
  const deaths = [
    "worker died",
    "worker launch failed",
    "worker launch timed out",
    "worker did not ack in time",
  ];
  return deaths.includes(msg);
}

async function stopSomehow(running: Running, dice: Dice): Promise<void> {
  const signal = dice.oneOf("SIGTERM", "SIGINT", "SIGQUIT");
  running.signal(signal);
  if (signal !== "SIGQUIT" && dice.chance(0.3)) {
    await Bun.sleep(dice.below(100));
    // The first may have been enough by now.
    signalIfThere(running.pid, "SIGTERM");
  }
  expect(await running.exited()).toBe(0);
  expect(running.processes()).toEqual([]);
}

function tellRun(running: Running, monkey: Monkey, growth: number): void {
  const count = (msg: string) => running.all(msg).length;
  console.log(
    `${monkey.deeds} deeds in ${seconds} s: ${monkey.strikes.length} strikes, ${count("worker launched")} launches, ` +
      `${count("worker died")} deaths, ${count("worker did not ack in time")} late acks, ` +
      `${count("preloader launched")} preloaders, ${count("worker launch failed")} failed launches; ` +
      `the supervisor's memory grew by ${(growth / 1024 / 1024).toFixed(1)} MB`,
  );
}
