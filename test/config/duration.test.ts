import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, longestDurationMs, parseDuration } from "../../src/config/duration.ts";

describe("parseDuration", () => {
  test.each([
    ["400ms", 400],
    ["10s", 10_000],
    ["2m 30s", 150_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["  5s  ", 5000],
    ["0s", 0],
    ["0ms", 0],
    ["007s", 7000],
    ["1d", 86_400_000],
    ["2w", 14 * 86_400_000],
    ["10 seconds", 10_000],
    ["1 second", 1000],
    ["10sec", 10_000],
    ["1min", 60_000],
    ["2 minutes", 120_000],
    ["250msec", 250],
    ["2h 37min", 9_420_000],
    ["1hr 1hour 1hours", 3 * 3_600_000],
    ["3 days 2 day", 5 * 86_400_000],
    ["30s 1m", 90_000],
    ["1s 1s", 2000],
    ["24d", longestDurationMs],
  ])("reads %j", (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, ms });
  });

  test.each([
    ["", "write a number and a unit"],
    ["   ", "write a number and a unit"],
    ["10", 'add a unit, such as "10s"'],
    ["1m 30", 'add a unit, such as "30s"'],
    ["s", "whole numbers, each followed by a unit"],
    ["-5s", "can't be negative"],
    ["1m -5s", "can't be negative"],
    ["1.5s", 'such as "1s 500ms"'],
    ["0.5h", 'such as "30m"'],
    ["0.1ms", 'such as "1s 500ms"'],
    ["1,5s", "whole numbers"],
    ["+5s", "whole numbers"],
    ["1e3s", '"e" is not a unit'],
    ["10S", '"S" is not a unit'],
    ["10us", '"us" is not a unit'],
    ["1 month", '"month" is not a unit'],
    ["25d", "the longest duration is 24d"],
    [`${"9".repeat(400)}s`, "the longest duration is 24d"],
    ["10s!", "whole numbers"],
    ["10 s\n\u0000", "whole numbers"],
  ])("refuses %j and says why", (text, remedy) => {
    const result = parseDuration(text);
    expect(result.ok ? result.ms : result.remedy).toContain(remedy);
  });

  test("reads back whatever formatDuration writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: longestDurationMs }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, ms });
      }),
    );
  });

  test("adds up its parts, in any order and with any white space", () => {
    const part = fc.tuple(fc.integer({ min: 0, max: 9999 }), fc.constantFrom("ms", "s", "m"));
    const unitMs = { ms: 1, s: 1000, m: 60_000 };
    const spacing = fc.constantFrom("", " ", "\t");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), spacing, (parts, space) => {
        const ms = parts.reduce((sum, [amount, unit]) => sum + amount * unitMs[unit as "ms" | "s" | "m"], 0);
        const text = parts.map(([amount, unit]) => `${amount}${space}${unit}`).join(space);
        expect(parseDuration(text)).toEqual({ ok: true, ms });
      }),
    );
  });

  test("never throws, and never gives more than a timer takes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-\d. msMhdw]*$/)), (text) => {
        const result = parseDuration(text);
        if (result.ok) expect(result.ms).toBeLessThan(2 ** 31);
        else expect(result.remedy).not.toBe("");
      }),
    );
  });
});

test.each([
  [0, "0s"],
  [1, "1ms"],
  [999, "999ms"],
  [1000, "1s"],
  [150_000, "2m 30s"],
  [3_600_000, "1h"],
  [90_061_001, "1d 1h 1m 1s 1ms"],
])("formatDuration(%d) is %j", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
