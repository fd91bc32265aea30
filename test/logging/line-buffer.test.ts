import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LineBuffer } from "../../src/logging/line-buffer.ts";

describe("the buffer of lines", () => {
  test("gives whole lines in order, as many as fit", () => {
    const buffer = new LineBuffer(1000);
    for (const line of ["one", "two", "three"]) buffer.push(line);
    expect(buffer.takeBatch(8)).toBe("one\ntwo\n");
    expect(buffer.takeBatch(8)).toBe("three\n");
    expect(buffer.takeBatch(8)).toBe("");
  });

  test("gives a line alone that is longer than a batch", () => {
    const buffer = new LineBuffer(1000);
    buffer.push("much longer than a batch");
    buffer.push("next");
    expect(buffer.takeBatch(8)).toBe("much longer than a batch\n");
    expect(buffer.takeBatch(8)).toBe("next\n");
  });

  test("drops the oldest when it is full, counts them, and counts bytes, not characters", () => {
    const buffer = new LineBuffer(14);
    for (const line of ["aaaa", "bbbb", "üü"]) buffer.push(line);
    expect(buffer.takeDropped()).toBe(1);
    expect(buffer.takeDropped()).toBe(0);
    expect(buffer.takeBatch(100)).toBe("bbbb\nüü\n");
  });

  test("drops a line that could never fit, and then everything before it has gone too", () => {
    const buffer = new LineBuffer(10);
    buffer.push("before");
    buffer.push("far too long for this");
    buffer.push("after");
    expect(buffer.takeDropped()).toBe(2);
    expect(buffer.takeBatch(100)).toBe("after\n");
  });

  test("behaves as a plain list of lines would, whatever is done in whatever order", () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.string({ maxLength: 30 }).map((line) => ({ kind: "push" as const, line })) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 1, max: 60 }).map((maxBytes) => ({ kind: "take" as const, maxBytes })),
      },
    );
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 200 }),
        fc.integer({ min: 1, max: 200 }),
        (actions, capacityBytes) => {
          const buffer = new LineBuffer(capacityBytes);
          const model: string[] = [];
          let dropped = 0;
          for (const step of actions) {
            if (step.kind === "push") dropped += pushToModel(model, `${step.line}\n`, capacityBytes);
            if (step.kind === "push") buffer.push(step.line);
            else expect(buffer.takeBatch(step.maxBytes)).toBe(takeFromModel(model, step.maxBytes));
          }
          expect(buffer.takeDropped()).toBe(dropped);
          expect(buffer.takeBatch(Number.POSITIVE_INFINITY)).toBe(model.join(""));
        },
      ),
    );
  });

  test("forgets what it gave, however long it runs", () => {
    const buffer = new LineBuffer(100);
    for (let index = 0; index < 100_000; index += 1) buffer.push(String(index).padStart(9, "0"));
    expect(buffer.takeDropped()).toBe(99_990);
    expect(buffer.takeBatch(10)).toBe("000099990\n");
  });
});

function pushToModel(model: string[], line: string, capacityBytes: number): number {
  const before = model.length + 1;
  model.push(line);
  while (Buffer.byteLength(model.join("")) > capacityBytes) model.shift();
  return before - model.length;
}

function takeFromModel(model: string[], maxBytes: number): string {
  let batch = model.shift() ?? "";
  while (model[0] !== undefined && Buffer.byteLength(batch + model[0]) <= maxBytes) batch += model.shift();
  return batch;
}
