import { describe, expect, test } from "bun:test";
import {
  addCounts,
  formatCounts,
  noCounts,
  readBunCounts,
  readCheckCounts,
  readMinitestCounts,
  readSkippableCounts,
  settleCounts,
} from "../../script/lib/counts.ts";

const bunOutput = `
test/core/worker.test.ts:
(pass) a worker > acks [0.10ms]

 11 pass
 2 skip
 1 todo
 3 fail
 1 error
 20 expect() calls
Ran 17 tests across 2 files. [12.00ms]
`;

describe("the summary of bun test", () => {
  test("counts what passed, failed and was left out; an error outside of any test is a failure", () => {
    expect(readBunCounts(bunOutput)).toEqual({ passed: 11, failed: 4, skipped: 3 });
  });

  test("is read through colours", () => {
    expect(
      readBunCounts(
        "\u001b[32m 1 pass\u001b[0m\n\u001b[31m 0 fail\u001b[0m\nRan 1 test across 1 file. [1ms]\n",
      ),
    ).toEqual({
      passed: 1,
      failed: 0,
      skipped: 0,
    });
  });

  test("is the last one: what a test prints doesn't count", () => {
    const forged = " 99 pass\n 0 fail\nRan 99 tests across 9 files. [1ms]\n";
    expect(readBunCounts(`${forged}${"a line\n".repeat(9)}${bunOutput}`)?.passed).toBe(11);
  });

  test("is missing after a crash, and when no test was run", () => {
    expect(readBunCounts("(pass) a worker > acks [0.10ms]\nSegmentation fault\n")).toBeUndefined();
    expect(readBunCounts(" 0 pass\n 0 fail\nRan 0 tests across 0 files. [1ms]\n")).toBeUndefined();
  });
});

describe("the summary of minitest", () => {
  test("counts failures and errors as failed", () => {
    const output = "Finished in 1.2s.\n\n12 runs, 40 assertions, 1 failures, 2 errors, 3 skips\n";
    expect(readMinitestCounts(output)).toEqual({ passed: 6, failed: 3, skipped: 3 });
  });

  test("is missing after a crash, and when no test was run", () => {
    expect(readMinitestCounts("helper.rb:1: syntax error\n")).toBeUndefined();
    expect(readMinitestCounts("0 runs, 0 assertions, 0 failures, 0 errors, 0 skips\n")).toBeUndefined();
  });
});

test("a linter is one check, passed or failed", () => {
  expect(readCheckCounts("", true)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(readCheckCounts("12 offenses", false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

describe("the verdict on a runner", () => {
  test("is its own summary when it ended well", () => {
    expect(settleCounts({ passed: 3, failed: 0, skipped: 1 }, true)).toEqual({
      passed: 3,
      failed: 0,
      skipped: 1,
    });
  });

  test("is a failure without a summary, however it ended", () => {
    expect(settleCounts(undefined, true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(settleCounts(undefined, false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test("is a failure when the exit status says so and the summary doesn't", () => {
    expect(settleCounts({ passed: 3, failed: 0, skipped: 0 }, false)).toEqual({
      passed: 3,
      failed: 1,
      skipped: 0,
    });
    expect(settleCounts({ passed: 3, failed: 2, skipped: 0 }, false)).toEqual({
      passed: 3,
      failed: 2,
      skipped: 0,
    });
  });
});

test("the last line of script/test names skipped tests only when there are some", () => {
  const sum = addCounts(addCounts(noCounts, { passed: 3, failed: 1, skipped: 0 }), {
    passed: 1,
    failed: 0,
    skipped: 0,
  });
  expect(formatCounts(sum)).toBe("4 passed, 1 failed");
  expect(formatCounts({ ...sum, skipped: 2 })).toBe("4 passed, 1 failed, 2 skipped");
});

describe("a runner that this machine may not be able to run", () => {
  const read = readSkippableCounts(readMinitestCounts);
  const minitest = "3 runs, 4 assertions, 1 failures, 0 errors, 0 skips\n";

  test("counts as one that was left out when it says why and ends well", () => {
    expect(read("skipped: it needs root\n", true)).toEqual({ passed: 0, failed: 0, skipped: 1 });
  });

  test("is read by its summary otherwise, and a crash stays one", () => {
    expect(read(minitest, true)).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(read("skipped: it needs root\n", false)).toBeUndefined();
    expect(read("nothing\n", true)).toBeUndefined();
  });
});
