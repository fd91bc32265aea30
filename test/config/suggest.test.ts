import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { countSlips, findNearest } from "../../src/config/suggest.ts";

describe("countSlips", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["count", "count", 0],
    ["conut", "count", 1],
    ["cout", "count", 1],
    ["countt", "count", 1],
    ["coumt", "count", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("%j and %j differ by %d", (left, right, slips) => {
    expect(countSlips(left, right)).toBe(slips);
  });

  test("is the same both ways, zero only for equal words, and at most the longer length", () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(word, word, (left, right) => {
        const slips = countSlips(left, right);
        expect(countSlips(right, left)).toBe(slips);
        expect(slips === 0).toBe(left === right);
        expect(slips).toBeLessThanOrEqual(Math.max(left.length, right.length));
        expect(slips).toBeGreaterThanOrEqual(Math.abs(left.length - right.length));
      }),
    );
  });
});

describe("findNearest", () => {
  const keys = [
    "count",
    "cmdline",
    "cwd",
    "stop_timeout",
    "stop_signal",
    "backoff",
    "backoff_max",
    "warning",
  ];

  test.each([
    ["cuont", "count"],
    ["Count", "count"],
    ["cmd_line", "cmdline"],
    ["stop_timout", "stop_timeout"],
    ["cdw", "cwd"],
    ["bakoff", "backoff"],
    ["warn", "warning"],
  ])("%j is meant for %j", (word, key) => {
    expect(findNearest(word, keys)).toBe(key);
  });

  test.each(["", "x", "replicas", "stop", "timeout", "ab"])("finds nothing near %j", (word) => {
    expect(findNearest(word, keys)).toBeUndefined();
  });

  test("compares no word of a megabyte letter by letter", () => {
    expect(findNearest("z".repeat(1_000_000), keys)).toBeUndefined();
  });
});
