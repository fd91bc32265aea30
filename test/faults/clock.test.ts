/** The wall clock is set, far ahead and far back: deadlines, delays and periods go by another one. */
import { expect, setDefaultTimeout } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, idle, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";
import { asLibrary, Fixture, testUnless } from "./support.ts";

setDefaultTimeout(testTimeoutMs);

const jumpingClock = new Fixture("jumping-clock", asLibrary);
const dayMs = 24 * 3600 * 1000;

/** What the supervisor takes for the time is ahead of the test's by that much. */
function setAhead(running: Running, ms: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(ms / 1000));
  writeFileSync(join(running.folder, "clock"), bytes, { flag: "r+" });
}

function withClock(toml: string): Running {
  const env = { LD_PRELOAD: jumpingClock.path, KLEINHIRN_TEST_CLOCK: "clock" };
  return new Running(toml, { env, files: { clock: "\0".repeat(8) } });
}

function aheadMs(running: Running, message: string): number {
  return Date.parse(String(running.all(message).at(-1)?.ts)) - Date.now();
}

testUnless(
  jumpingClock.obstacle,
  "years ahead, back before 1970's next day, and to and fro: nobody is stopped, killed or faulted for it; `ts` follows",
  async () => {
    // Each of these would be over at once, or never, by the wall clock.
    const limits = 'ack_timeout = "1h"\nstop_timeout = "10s"\nrestart = { intensity = 3, period = "1h" }';
    const script = `trap 'exit 0' TERM; ${idle}`;
    const worker = `[worker]\ntype = "program"\ncount = 2\n${cmdline("sh", "-c", script)}\n${limits}`;
    await using running = withClock(`${supervisor('shutdown_timeout = "20s"')}\n${worker}`);
    await running.waitFor("worker set running");
    const steady = Number(running.find((line) => line.msg === "worker ready" && line.slot === 0)?.pid);
    const isOther = (line: { msg: string; slot?: unknown }) => line.msg === "worker ready" && line.slot === 1;
    for (const [round, jumpMs] of [9999 * dayMs, -20_000 * dayMs, dayMs].entries()) {
      setAhead(running, jumpMs);
      process.kill(Number(running.all(isOther).at(-1)?.pid), "SIGKILL");
      await running.waitFor("worker set running", round + 2);
      expect(Math.abs(aheadMs(running, "worker set running") - jumpMs)).toBeLessThan(testTimeoutMs);
    }
    expect(running.find("worker set faulted")).toBeUndefined();
    expect(running.find("worker stopping")).toBeUndefined();
    expect(isAlive(steady)).toBe(true);
    for (const line of running.all("worker died")) expect(Number(line.age_ms)).toBeLessThan(testTimeoutMs);
    const text = await (await running.health("/healthz")).text();
    expect(text).toMatch(/last death: signal KILL \d+ s ago/);
    setAhead(running, -dayMs);
    expect(await running.stop()).toBe(0);
    expect(running.find("stopped")).toMatchObject({ killed: 0 });
  },
);

testUnless(
  jumpingClock.obstacle,
  "deaths of the last period count however far the clock has been set, and a grace period ends in its time",
  async () => {
    const limits =
      'stop_timeout = "200ms"\nrestart = { intensity = 2, period = "1h", backoff_max = "200ms" }';
    const worker = `[worker]\ntype = "program"\n${cmdline("sh", "-c", `trap '' TERM; ${idle}`)}\n${limits}`;
    await using running = withClock(`${supervisor()}\n${worker}`);
    for (let death = 1; death <= 3; death += 1) {
      await running.waitFor("worker ready", death);
      setAhead(running, death * dayMs);
      process.kill(Number(running.all("worker ready").at(-1)?.pid), "SIGKILL");
    }
    await running.waitFor("worker set faulted");

    await using stubborn = withClock(`${supervisor()}\n${worker}`);
    await stubborn.waitFor("worker ready");
    stubborn.signal("SIGTERM");
    await stubborn.waitFor("stopping");
    setAhead(stubborn, -9999 * dayMs);
    expect(await stubborn.exited()).toBe(0);
    expect(stubborn.find("stopped")).toMatchObject({ killed: 1 });
  },
);
