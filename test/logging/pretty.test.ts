import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type LogRecord, safeFields } from "../../src/logging/log-record.ts";
import { renderPretty, wantsColor } from "../../src/logging/pretty.ts";
import { hostileFields, hostileText } from "./arbitraries.ts";

const record: LogRecord = {
  time: new Date(2026, 0, 2, 3, 4, 5, 6),
  level: "info",
  message: "worker ready",
  service: "shop",
  fields: [
    ["set", "web"],
    ["ack_ms", 212],
  ],
};

const backtrace = "boom (RuntimeError)\n\tfrom app.rb:1:in 'x'\r\n\tfrom app.rb:2\n";

describe("the format for people", () => {
  test("has local time, level, message, fields, and the service last", () => {
    expect(renderPretty(record, false)).toBe(
      "03:04:05.006 info     worker ready                 set=web ack_ms=212 service=shop",
    );
  });

  test("shows a backtrace below, indented", () => {
    const fields = safeFields({ generation: 2, error: backtrace });
    expect(
      renderPretty({ ...record, level: "error", message: "load failed", fields }, false).split("\n"),
    ).toEqual([
      "03:04:05.006 error    load failed                  generation=2 service=shop",
      "    │ boom (RuntimeError)",
      "    │     from app.rb:1:in 'x'",
      "    │     from app.rb:2",
    ]);
  });

  test("escapes what a backtrace could do to the terminal", () => {
    const fields = safeFields({ error: "boom\n\u001b[2J\rinfo\u009b\n\u2028" });
    expect(
      renderPretty({ ...record, fields }, false)
        .split("\n")
        .slice(1),
    ).toEqual(["    │ boom", "    │ \\u001b[2J\\rinfo\\u009b"]);
  });

  test("leaves an error of one line among the fields", () => {
    expect(renderPretty({ ...record, fields: [["error", "no such file"]] }, false)).toEndWith(
      'error="no such file" service=shop',
    );
  });

  test("says the same in colour, with every colour ended", () => {
    const fields = safeFields({ slot: 1, error: backtrace });
    for (const level of ["critical", "error", "warning", "info", "debug", "trace"] as const) {
      const colored = renderPretty({ ...record, level, fields }, true);
      expect(Bun.stripANSI(colored)).toBe(renderPretty({ ...record, level, fields }, false));
      for (const line of colored.split("\n")) {
        expect(line.match(/\u001b\[[\d;]*m/g)?.filter((code) => code === "\u001b[0m").length).toBe(
          (line.match(/\u001b\[[\d;]+m/g)?.length ?? 0) / 2,
        );
      }
    }
  });

  test("never lets anything drive the terminal or begin a line of its own", () => {
    fc.assert(
      fc.property(hostileText, hostileFields, (message, fields) => {
        const [first, ...below] = renderPretty(
          { ...record, message, fields: safeFields(fields) },
          false,
        ).split("\n");
        expect(first).toStartWith("03:04:05.006 info     ");
        for (const line of below) expect(line).toStartWith("    │ ");
        expect([first, ...below].join("")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u);
      }),
      { numRuns: 500 },
    );
  });
});

test("colour is for terminals that can, and for those who want it", () => {
  expect(wantsColor({}, true)).toBeTrue();
  expect(wantsColor({}, false)).toBeFalse();
  expect(wantsColor({ NO_COLOR: "1" }, true)).toBeFalse();
  expect(wantsColor({ NO_COLOR: "" }, true)).toBeTrue();
  expect(wantsColor({ TERM: "dumb" }, true)).toBeFalse();
});
