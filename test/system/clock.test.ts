import { expect, test } from "bun:test";
import { join } from "node:path";
import { monotonicMs, wallClock } from "../../src/system/clock.ts";
import { fixtureFolder } from "./support/fixture.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

test("the monotonic clock counts milliseconds and never goes back", async () => {
  const start = monotonicMs();
  const wallStart = wallClock().getTime();
  const looks = Array.from({ length: 100_000 }, monotonicMs);
  expect(looks.findIndex((now, index) => now < (looks[index - 1] ?? start))).toBe(-1);
  const elapsed = monotonicMs() - start;
  expect(elapsed).toBeGreaterThan(0);
  // The wall clock has whole milliseconds.
  expect(Math.abs(wallClock().getTime() - wallStart - elapsed)).toBeLessThan(1000);
});

/** A library put in front of libc sets the wall clock an hour ahead with every look at it, as nobody may really do. */
test.skipIf(Bun.which("gcc") === null)(
  "the monotonic clock takes no part in a jump of the wall clock",
  () => {
    using folder = new TemporaryFolder();
    const library = folder.file("jump.so");
    const source = join(fixtureFolder, "jumping-wall-clock.c");
    const built = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-o", library, source]);
    expect(built.stderr.toString()).toBe("");
    const { stdout } = Bun.spawnSync([process.execPath, join(fixtureFolder, "two-clocks.ts")], {
      env: { ...process.env, LD_PRELOAD: library },
    });
    const { wallMs, monotonicMs: elapsedMs } = JSON.parse(stdout.toString());
    expect(wallMs).toBeGreaterThanOrEqual(3_600_000);
    expect(elapsedMs).toBeLessThan(1_800_000);
  },
);
