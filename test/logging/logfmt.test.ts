import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LogRecord, safeFields } from "../../src/logging/log-record.ts";
import { encodeLogfmt, renderLogfmt, renderPrefixedLogfmt } from "../../src/logging/logfmt.ts";
import { fieldValue, hostileFields, hostileText } from "./arbitraries.ts";
import { LogfmtSyntaxError, parseLogfmt } from "./logfmt-parser.ts";

const record: LogRecord = {
  time: new Date("2026-01-02T03:04:05.678Z"),
  level: "info",
  message: "worker ready",
  service: "shop",
  fields: [
    ["set", "web"],
    ["slot", 0],
    ["ack_ms", 212],
  ],
};

describe("logfmt", () => {
  test("has time, level, message and service first", () => {
    expect(renderLogfmt(record)).toBe(
      'ts=2026-01-02T03:04:05.678Z level=info msg="worker ready" service=shop set=web slot=0 ack_ms=212',
    );
  });

  test.each([
    ["plain", "plain"],
    ["", ""],
    ["null", '"null"'],
    ["a b", '"a b"'],
    ["a=b", '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["it's", '"it\'s"'],
    ["C:\\temp", "C:\\temp"],
    ["C:\\my files", '"C:\\\\my files"'],
    ["C:\\temp\\", '"C:\\\\temp\\u005c"'],
    ["one\ntwo\r\tthree", '"one\\ntwo\\r\\tthree"'],
    ["\u001b[31m", '"\\u001b[31m"'],
    ["\u007f", '"\\u007f"'],
    ["\u0085\u2028\u2029", '"\\u0085\\u2028\\u2029"'],
    ["\u202egnp", '"\\u202egnp"'],
    ["\ud800x", '"\\ufffdx"'],
    ["gr\u00fc\u00df \ud83d\ude00", '"gr\u00fc\u00df \ud83d\ude00"'],
    [true, "true"],
    [-0.5, "-0.5"],
    [Number.NaN, "NaN"],
  ])("encodes %j as %s", (value, encoded) => {
    expect(encodeLogfmt([["key", value]])).toBe(`key=${encoded}`);
  });

  test("keeps a backtrace of 60 KiB whole", () => {
    const backtrace = `${"x".repeat(99)}\n`.repeat(600);
    expect(parseLogfmt(encodeLogfmt([["error", backtrace]]))).toEqual([["error", backtrace]]);
  });

  test("whatever the message, keys and values are, a reader finds these fields and no other", () => {
    fc.assert(
      fc.property(hostileText, hostileText, hostileFields, (message, service, fields) => {
        const safe = safeFields(fields);
        const line = renderLogfmt({ ...record, message, service, fields: safe });
        expect(parseLogfmt(line)).toEqual([
          ["ts", "2026-01-02T03:04:05.678Z"],
          ["level", "info"],
          ["msg", message.toWellFormed()],
          ["service", service.toWellFormed()],
          ...safe.map(([key, value]) => [key, String(value).toWellFormed()] as const),
        ]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the lead of print_prefix", () => {
  test("is level and message, which are not said again", () => {
    expect(renderPrefixedLogfmt(record)).toBe(
      "INFO | worker ready\tts=2026-01-02T03:04:05.678Z service=shop set=web slot=0 ack_ms=212",
    );
  });

  test.each([
    ["critical", "CRIT"],
    ["error", "ERRO"],
    ["warning", "WARN"],
    ["debug", "DEBG"],
    ["trace", "TRCE"],
  ] as const)("says %s as the original did: %s", (level, word) => {
    expect(renderPrefixedLogfmt({ ...record, level })).toStartWith(`${word} | worker ready\t`);
  });

  test("quotes a message that could be taken for fields or a further line", () => {
    expect(renderPrefixedLogfmt({ ...record, message: "x level=critical" })).toStartWith(
      'INFO | "x level=critical"\t',
    );
    expect(renderPrefixedLogfmt({ ...record, message: "x\nINFO | y" })).toStartWith(
      'INFO | "x\\nINFO | y"\t',
    );
  });

  test("never lets a message make a field or a line", () => {
    fc.assert(
      fc.property(hostileText, (message) => {
        const [lead = "", fields = "", ...more] = renderPrefixedLogfmt({ ...record, message }).split("\t");
        expect(more).toEqual([]);
        expect(parseLogfmt(fields).map(([key]) => key)).toEqual(["ts", "service", "set", "slot", "ack_ms"]);
        const shown = lead.slice("INFO | ".length);
        if (shown.startsWith('"')) expect(JSON.parse(shown)).toBe(message.toWellFormed());
        else expect(parseLogfmt(shown).every(([, value]) => value === undefined)).toBeTrue();
      }),
    );
  });
});

describe("safe keys", () => {
  test("leave good ones alone and undefined values out", () => {
    expect(safeFields({ set: "web", ack_ms: 3, "http.status": 200, cause: undefined })).toEqual([
      ["set", "web"],
      ["ack_ms", 3],
      ["http.status", 200],
    ]);
  });

  test("can't pass for time, level, message or service, not even after cleaning", () => {
    const forged = {
      level: "info",
      ts: 1,
      msg: "m",
      service: "s",
      "le vel": "debug",
      'm"sg': "n",
      "t\ns": 2,
    };
    expect(safeFields(forged)).toEqual([
      ["field_level", "info"],
      ["field_ts", 1],
      ["field_msg", "m"],
      ["field_service", "s"],
    ]);
  });

  test("can't pass for a field of ours after cleaning", () => {
    expect(safeFields({ "pi d": 1, pid: 4242, "": "empty" })).toEqual([
      ["field_pid", 1],
      ["pid", 4242],
      ["field_", "empty"],
    ]);
  });

  test("can't pass for a field of ours in the eyes of a reader that skips a backslash", () => {
    expect(safeFields({ "pid\\x": 1, pid: 4242, "le\\vel": "critical" })).toEqual([
      ["field_pidx", 1],
      ["pid", 4242],
      ["field_level", "critical"],
    ]);
  });

  test("are unique, plain, and never one of the fixed ones", () => {
    fc.assert(
      fc.property(hostileFields, (fields) => {
        const keys = safeFields(fields).map(([key]) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) {
          expect(["ts", "level", "msg", "service"]).not.toContain(key);
          expect(parseLogfmt(key)).toEqual([[key, undefined]]);
        }
      }),
    );
  });
});

test("the parser of these tests does refuse what is no logfmt", () => {
  for (const line of ["=x", 'a="b', "a=b=c", 'a=b"c', '"a"=b', "a=1\nb=2", 'a="b"c=d']) {
    expect(() => parseLogfmt(line)).toThrow(LogfmtSyntaxError);
  }
  fc.assert(
    fc.property(fieldValue, (value) => {
      fc.pre(typeof value === "string" && /[=" \n]/.test(value));
      let read: unknown;
      try {
        read = parseLogfmt(`key=${value}`);
      } catch {
        return;
      }
      expect(read).not.toEqual([["key", value]]);
    }),
  );
});
