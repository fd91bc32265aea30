import { describe, expect, test } from "bun:test";
import { type Backoff, backOff, noBackoff } from "../../src/core/backoff.ts";

const limits = { periodMs: 60_000, backoffMs: 100, backoffMaxMs: 10_000 };
/** Just below 1: the largest that a generator yields. */
const largest = 1 - 2 ** -32;

/** The delays of so many deaths in a row, each at the very moment at which its worker was launched again. */
function delays(deaths: number, random: number): number[] {
  const found: number[] = [];
  let backoff: Backoff = noBackoff;
  let nowMs = 5000;
  for (let death = 0; death < deaths; death += 1) {
    backoff = backOff(backoff, limits, nowMs, random);
    found.push(backoff.retryAtMs - nowMs);
    nowMs = backoff.retryAtMs;
  }
  return found.map(Math.round);
}

describe("the delay", () => {
  test("is none for the first death, then doubles up to the cap", () => {
    expect(delays(10, 0.5)).toEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  test("is spread by 20 % down and up, above the cap, too", () => {
    expect(delays(10, 0)).toEqual([0, 80, 160, 320, 640, 1280, 2560, 5120, 8000, 8000]);
    expect(delays(10, largest)).toEqual([0, 120, 240, 480, 960, 1920, 3840, 7680, 12_000, 12_000]);
  });

  test("does not overflow, however often a worker dies", () => {
    const many: Backoff = { deaths: 5000, lastDeathAtMs: 0, retryAtMs: 0 };
    expect(backOff(many, limits, 1, 0.5).retryAtMs).toBe(10_001);
  });

  test("is none at all when `backoff` is 0", () => {
    const twice = backOff(backOff(noBackoff, limits, 0, 0.5), { ...limits, backoffMs: 0 }, 1, 0.5);
    expect(twice.retryAtMs).toBe(1);
  });

  test("is never more than `backoff_max`, were `backoff` itself larger", () => {
    const twice = backOff(backOff(noBackoff, limits, 0, 0.5), { ...limits, backoffMaxMs: 40 }, 0, 0.5);
    expect(twice.retryAtMs).toBe(40);
  });
});

describe("deaths in a row", () => {
  const three: Backoff = { deaths: 3, lastDeathAtMs: 1000, retryAtMs: 1200 };

  test("go on being counted within the period", () => {
    expect(backOff(three, limits, 60_999, 0.5)).toEqual({
      deaths: 4,
      lastDeathAtMs: 60_999,
      retryAtMs: 61_399,
    });
  });

  test("are forgotten after a whole period without one", () => {
    expect(backOff(three, limits, 61_000, 0.5)).toEqual({
      deaths: 1,
      lastDeathAtMs: 61_000,
      retryAtMs: 61_000,
    });
  });
});
