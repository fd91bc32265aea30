import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isName, makeName, name, stopSignal } from "../../src/config/value-types.ts";
import { hostileText } from "../logging/arbitraries.ts";
import { readMessage, readValue } from "./reading.ts";

describe("names", () => {
  test.each([
    "a",
    "shop",
    "Shop_2.web-1",
    "_x",
    "0",
    "continually-restarting-sleeper",
    "n".repeat(64),
    "__proto__",
  ])("%s", (text) => {
    expect(readValue(name, text)).toBe(text);
  });

  test.each(["", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "a\0", "ä", "a:b", "n".repeat(65), "a@b"])(
    "%j is refused",
    (text) => {
      expect(readMessage(name, text)).toStartWith("key: expected a name: 1 to 64 letters");
    },
  );

  test("whatever makeName makes is a name, and a name stays what it is", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const made = makeName(text);
        if (made !== undefined) expect(isName(made)).toBe(true);
        if (isName(text) && !text.endsWith("-")) expect(made).toBe(text);
      }),
    );
  });
});

describe("stop_signal", () => {
  test.each([
    ["TERM", "SIGTERM"],
    ["SIGTERM", "SIGTERM"],
    ["USR1", "SIGUSR1"],
    ["WINCH", "SIGWINCH"],
    ["SIGABRT", "SIGABRT"],
  ] as const)("%s is %s", (text, signal) => {
    expect(readValue(stopSignal, text)).toBe(signal);
  });

  test.each(["", "SIG", "SEGV", "SIGSIGTERM", "15", "TERM "])("%j is refused", (text) => {
    expect(readMessage(stopSignal, text)).toStartWith(
      "key: expected a signal that a worker can handle: TERM, INT",
    );
  });
});
