/**
 * Random lives of random fleets. A failure prints its seed: `KLEINHIRN_SEED=… bun test test/core/random-sequence.test.ts`
 * plays that life again. `KLEINHIRN_DEEP=1` goes on for a minute instead of a few seconds.
 */
import { expect, test } from "bun:test";
import { isDeep } from "../helpers/deep.ts";
import { live } from "./random/life.ts";

const givenSeed = process.env.KLEINHIRN_SEED;
const durationMs = isDeep ? 60_000 : 5000;

function liveOnAndOn(): number {
  const untilMs = performance.now() + durationMs;
  const firstSeed = Date.now() >>> 0;
  let lives = 0;
  while (performance.now() < untilMs) {
    live(firstSeed + lives);
    lives += 1;
  }
  return lives;
}

test(
  "random lives keep every invariant",
  () => {
    if (givenSeed !== undefined) expect(live(Number(givenSeed))).toBeGreaterThan(0);
    else expect(liveOnAndOn()).toBeGreaterThan(0);
  },
  durationMs * 4,
);
