import { describe, expect, test } from "bun:test";
import { constants } from "node:os";
import { describeExit, signalName, signalNumber } from "../../src/core/exit-status.ts";

/** What the machine itself says; POLL and IOT are second names of IO and ABRT. */
const known = Object.entries(constants.signals).filter(([name]) => name !== "SIGPOLL" && name !== "SIGIOT");

describe("signals", () => {
  test("the machine has as many as we know", () => {
    expect(known.length).toBeGreaterThanOrEqual(31);
  });

  test.each(known)("%s is %i, both ways", (name, number) => {
    expect(signalName(number)).toBe(name.slice(3));
    expect(signalNumber(name)).toBe(number);
    expect(signalNumber(name.slice(3))).toBe(number);
  });

  test.each([0, 32, 34, 64, -1])("%i has no name and is shown as a number", (number) => {
    expect(signalName(number)).toBe(String(number));
  });

  test.each(["", "SIG", "sigterm", "SIGSIGTERM", "TERMINATE", "RTMIN"])("%p is no signal", (name) => {
    expect(signalNumber(name)).toBeUndefined();
  });
});

test("an exit is described in the words of the log", () => {
  expect(describeExit({ kind: "exited", code: 0 })).toBe("status 0");
  expect(describeExit({ kind: "exited", code: 255 })).toBe("status 255");
  expect(describeExit({ kind: "signaled", signal: 9 })).toBe("signal KILL");
  expect(describeExit({ kind: "signaled", signal: 34 })).toBe("signal 34");
});
