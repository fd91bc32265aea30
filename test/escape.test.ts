import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeUnsafe } from "../src/escape.ts";
import { hostileText } from "./logging/arbitraries.ts";

const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

describe("escapeUnsafe", () => {
  test.each([
    ["plain, ünï ☂", "plain, ünï ☂"],
    ["a\tb\nc", "a\\tb\\nc"],
    ["\u001b[2J\u0007", "\\u001b[2J\\u0007"],
    ["\u007f\u0085\u009b", "\\u007f\\u0085\\u009b"],
    ["\u2028\u202e\u2066", "\\u2028\\u202e\\u2066"],
  ])("%j", (text, escaped) => {
    expect(escapeUnsafe(text)).toBe(escaped);
  });

  test("leaves no control character, and nothing to do for a second time", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const escaped = escapeUnsafe(text);
        expect(unsafe.test(escaped)).toBeFalse();
        expect(escapeUnsafe(escaped)).toBe(escaped);
      }),
    );
  });
});
