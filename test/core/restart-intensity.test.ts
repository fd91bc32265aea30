import { describe, expect, test } from "bun:test";
import { addDeath, type DeathHistory, deathsWithin, isTooMany } from "../../src/core/restart-intensity.ts";

const periodMs = 1000;

function deathsAt(...times: readonly number[]): DeathHistory {
  return times.reduce<DeathHistory>((history, atMs) => addDeath(history, atMs, periodMs), []);
}

describe("isTooMany", () => {
  test.each([
    [0, 0, false],
    [1, 0, true],
    [5, 5, false],
    [6, 5, true],
  ])("%i deaths with an intensity of %i: %p", (deaths, intensity, expected) => {
    expect(isTooMany(new Array<number>(deaths).fill(0), intensity)).toBe(expected);
  });

  test("deaths that are far enough apart are never too many", () => {
    const times = Array.from({ length: 50 }, (_, index) => index * 500);
    expect(isTooMany(deathsAt(...times), 2)).toBe(false);
  });

  test("as many in half the time are", () => {
    expect(isTooMany(deathsAt(0, 250, 500), 2)).toBe(true);
  });
});

describe("the history", () => {
  test("forgets a death that is a whole period old, and not a millisecond before", () => {
    expect(deathsAt(0, 999)).toEqual([0, 999]);
    expect(deathsAt(0, 1000)).toEqual([1000]);
  });

  test("keeps deaths of the same moment apart", () => {
    expect(deathsAt(7, 7, 7)).toEqual([7, 7, 7]);
  });

  test("does not grow with the number of restarts", () => {
    const times = Array.from({ length: 10_000 }, (_, index) => index * 100);
    expect(deathsAt(...times)).toHaveLength(10);
  });

  test("is not changed by a look at it", () => {
    const history = deathsAt(0, 900);
    expect(deathsWithin(history, 1500, periodMs)).toEqual([900]);
    expect(history).toEqual([0, 900]);
  });
});
