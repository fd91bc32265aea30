import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { renderJson } from "../../src/logging/json.ts";
import { type LogRecord, safeFields } from "../../src/logging/log-record.ts";
import { hostileFields, hostileText } from "./arbitraries.ts";

const record: LogRecord = {
  time: new Date("2026-01-02T03:04:05.006Z"),
  level: "warning",
  message: "worker died",
  service: "shop",
  fields: [
    ["set", "web"],
    ["slot", 0],
    ["asked", false],
  ],
};

describe("JSON", () => {
  test("has the keys of logfmt in their order, and its values with their types", () => {
    expect(renderJson(record)).toBe(
      '{"ts":"2026-01-02T03:04:05.006Z","level":"warning","msg":"worker died","service":"shop","set":"web","slot":0,"asked":false}',
    );
  });

  test("keeps the order and every key where an object would not", () => {
    const fields = safeFields(
      Object.fromEntries([
        ["__proto__", "p"],
        ["10", "ten"],
        ["2", "two"],
      ]),
    );
    const line = renderJson({ ...record, fields });
    expect(line).toStartWith('{"ts":');
    expect(line).toContain('"__proto__":"p"');
  });

  test("is one line of JSON whatever the message, keys and values are, and loses nothing", () => {
    fc.assert(
      fc.property(hostileText, hostileFields, (message, fields) => {
        const safe = safeFields(fields);
        const line = renderJson({ ...record, message, fields: safe });
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u);
        const wellFormed = safe.map(([key, value]) => [
          key,
          typeof value === "string" ? value.toWellFormed() : value,
        ]);
        const expected = Object.fromEntries([
          ["msg", message.toWellFormed()],
          ["level", "warning"],
          ...wellFormed,
        ]);
        // What JSON has no number for is -0.
        expect(JSON.parse(line)).toMatchObject(JSON.parse(JSON.stringify(expected)));
        expect(Object.keys(JSON.parse(line)).length).toBe(4 + safe.length);
      }),
      { numRuns: 500 },
    );
  });

  test("has null for numbers that JSON doesn't know", () => {
    expect(renderJson({ ...record, fields: [["load", Number.POSITIVE_INFINITY]] })).toEndWith(
      ',"load":null}',
    );
  });
});
