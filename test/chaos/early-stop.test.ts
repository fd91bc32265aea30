/** TERM while something is on its way: nothing new afterwards, a prompt exit, nothing left. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Dice } from "../core/random/dice.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, endless, exists, linesOf, programSet, rubySet } from "./fleet.ts";
import { LogAudit } from "./log-audit.ts";
import { scale, tell } from "./scale.ts";

setDefaultTimeout(5 * testTimeoutMs);

/** Some hundredths of a second on a quiet machine; a grace period or timeout that is waited for takes much longer. */
const promptMs = 8000;

/** At one time: the machine is to be busy, so that the moments differ. */
const atOnce = 5;

const exitTimesMs: number[] = [];
afterAll(() => tell("TERM while something is on its way, to the exit", exitTimesMs));

/** Every worker that runs leaves its id in the file `ran`, whatever the log says of it. */
const leaveId = 'echo "$KLEINHIRN_WORKER_ID" >> ran';
const leaveIdInRuby = 'File.write("ran", ENV.fetch("KLEINHIRN_WORKER_ID") + "\\n", mode: "a")';

async function inBatches(count: number, once: (index: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < count; start += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - start) }, (_, index) => once(start + index));
    await Promise.all(batch);
  }
}

/** Sends TERM and holds the exit to what is promised; the fixture itself fails on a process that is left behind. */
async function stopPromptly(running: Running, counts: Readonly<Record<string, number>>): Promise<void> {
  const start = performance.now();
  const code = await running.stop("SIGTERM");
  exitTimesMs.push(performance.now() - start);
  const { signalCode } = running.process;
  // Before its first line has run, TERM ends it as it ends any program.
  if (signalCode !== null) return expect(running.transcript()).toBe("\n");
  expect(code).toBe(0);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
  const stoppingAt = running.lines.findIndex(({ msg }) => msg === "stopping");
  const after = running.lines.slice(stoppingAt).map(({ msg }) => msg);
  expect(
    after.filter((msg) => ["worker launched", "worker ready", "preloader launched"].includes(msg)),
  ).toEqual([]);
  const audit = new LogAudit(running.lines, counts);
  expect(audit.violations).toEqual([]);
  expect(audit.living()).toEqual([]);
  expect(idsThatRan(running).filter((id) => !audit.lives.has(id))).toEqual([]);
  expect(running.processes()).toEqual([]);
  expect(exitTimesMs.at(-1)).toBeLessThan(promptMs);
}

function idsThatRan(running: Running): readonly string[] {
  const file = join(running.folder, "ran");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

test("TERM while backing off", async () => {
  const backingOff = 'restart = { intensity = 1000000, backoff = "1h", backoff_max = "1h" }';
  await inBatches(scale(30, 200), async () => {
    await using running = new Running(
      `${supervisor()}
      ${programSet("exec", `${leaveId}; exit 1`, backingOff)}
      ${rubySet("ruby", `${leaveIdInRuby}; exit!(1)`, backingOff)}`,
      { files: application() },
    );
    // The first death is replaced at once; after the second, each waits for an hour.
    await waitUntil(() => ["exec", "ruby"].every((set) => linesOf(running, "worker died", set).length === 2));
    await stopPromptly(running, { exec: 1, ruby: 1 });
  });
});

test("TERM while loading", async () => {
  const dice = new Dice(Date.now());
  await inBatches(scale(30, 200), async () => {
    // In the middle of a load that takes for ever, of one that is about to end, or of one that starts processes.
    const load = dice.oneOf("sleep", "sleep 0.05", '20.times { Process.wait(spawn("true")) }; sleep');
    await using running = new Running(
      `${supervisor()}\n${rubySet("ruby", `${leaveIdInRuby}; sleep`, "count = 4")}`,
      {
        files: application(load),
      },
    );
    await running.waitFor("preloader loading");
    await Bun.sleep(dice.below(60));
    await stopPromptly(running, { ruby: 4 });
  });
});

/** What Ruby does by itself now and then, in the first hundredths of a second. */
const losesFirstTerm = `
  isTold = false
  trap("TERM") { isTold = true; trap("TERM", "DEFAULT") }
  File.write("starting", "")
  sleep 0.01 until isTold
`;

test("TERM that Ruby loses while it starts: it is asked again once it hears", async () => {
  await using running = new Running(
    `${supervisor()}\n${rubySet("ruby", "sleep", 'env = { RUBYOPT = "-r@FOLDER@/lose.rb" }')}`,
    { files: { ...application("sleep"), "lose.rb": losesFirstTerm } },
  );
  await waitUntil(() => exists(running, "starting"));
  await stopPromptly(running, { ruby: 1 });
  // The grace period is two seconds; who is asked again is gone before.
  expect(running.find("preloader stopped")).toMatchObject({ asked: true });
});

test("TERM at a random moment within the first 300 ms, 200 times", async () => {
  const dice = new Dice(Date.now());
  await inBatches(200, async (index) => {
    const isRuby = index % 4 === 0;
    await using running = new Running(
      `${supervisor()}
      ${programSet("exec", `${leaveId}; ${ackByDescriptor}; exec sleep 1000`, 'count = 4\nack = "message"')}
      ${programSet("dying", `${leaveId}; exit 1`, `count = 2\n${endless}`)}
      ${isRuby ? rubySet("ruby", `${leaveIdInRuby}; KleinhirnLoader.ack; sleep`, "count = 4") : ""}`,
      { files: application() },
    );
    // A moment, not a wait for something: any moment is a good one.
    await Bun.sleep(dice.roll() * 300);
    await stopPromptly(running, { exec: 4, dying: 2, ruby: 4 });
  });
});
