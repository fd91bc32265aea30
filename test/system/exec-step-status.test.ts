import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execStepStatus, explainExecStepExit } from "../../src/system/exec-step-status.ts";

test("the numbers are those of the native step", () => {
  const source = readFileSync(join(import.meta.dir, "../../native/exec-step/exec-step.c"), "utf8");
  const found = [...source.matchAll(/^ {2}status_(\w+) = (\d+),$/gm)].map(([, name, code]) => [
    name,
    Number(code),
  ]);
  const { parentGone: parent_gone, failed, notFound: not_found } = execStepStatus;
  expect(Object.fromEntries(found)).toEqual({ parent_gone, failed, not_found });
});

describe("the hint", () => {
  const explain = (code: number) => explainExecStepExit({ kind: "exited", code }, "./serve");

  test.each([125, 126, 127])("names the program and doesn't claim to know, for %d", (code) => {
    expect(explain(code)).toStartWith('perhaps "./serve" was never executed: ');
  });

  test.each([0, 1, 124, 128])("is none for %d, which is the program's own", (code) => {
    expect(explain(code)).toBeUndefined();
  });

  test("is none for a signal of the same number", () => {
    expect(explainExecStepExit({ kind: "signaled", signal: 127 }, "./serve")).toBeUndefined();
  });
});
