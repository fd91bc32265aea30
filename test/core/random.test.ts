import { expect, test } from "bun:test";
import { nextRandom, type RandomState, seedRandom } from "../../src/core/random.ts";

function draw(seed: number, count: number): number[] {
  const values: number[] = [];
  let state: RandomState = seedRandom(seed);
  for (let drawn = 0; drawn < count; drawn += 1) {
    const next = nextRandom(state);
    values.push(next.value);
    state = next.state;
  }
  return values;
}

test("the same seed yields the same numbers, another one others", () => {
  expect(draw(42, 20)).toEqual(draw(42, 20));
  expect(draw(42, 20)).not.toEqual(draw(43, 20));
});

test("every number is in [0, 1)", () => {
  for (const value of draw(7, 20_000)) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1);
  }
});

test("the numbers are spread evenly enough for a jitter", () => {
  const tenths = new Array<number>(10).fill(0);
  for (const value of draw(7, 20_000)) {
    const tenth = Math.floor(value * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(300);
});

test.each([0, Number.NaN, -1, 2 ** 32, 0.5, Number.POSITIVE_INFINITY])(
  "the seed %p does not get stuck",
  (seed) => {
    expect(new Set(draw(seed, 100)).size).toBe(100);
  },
);
