import { describe, expect, setSystemTime, test } from "bun:test";
import type { LogFormat } from "../../src/config/config.ts";
import type { Fields, Level } from "../../src/core/log-event.ts";
import { createLogger, type LoggerOptions } from "../../src/logging/logger.ts";
import { parseLogfmt } from "./logfmt-parser.ts";

const levels = ["critical", "error", "warning", "info", "debug", "trace"] as const;

function openLogger(options: Partial<LoggerOptions> & { level?: Level; format?: LogFormat } = {}) {
  const lines: string[] = [];
  let describeDropped = (_count: number) => "";
  const logger = createLogger({
    config: { level: options.level ?? "trace", format: options.format },
    service: "shop",
    sink: {
      write: (line) => lines.push(line),
      describeDropped: (describe) => {
        describeDropped = describe;
      },
      flush: async () => {},
      flushNow: () => {},
    },
    isTerminal: false,
    color: false,
    now: () => new Date("2026-01-02T03:04:05.678Z"),
    ...options,
  });
  const log = (level: Level, message: string, fields: Fields = {}) => logger.log({ level, message, fields });
  return { log, lines, describeDropped: (count: number) => describeDropped(count) };
}

describe("levels", () => {
  test.each(levels.map((level, index) => [level, levels.slice(0, index + 1)] as const))(
    "%s lets through %j",
    (level, expected) => {
      const { log, lines } = openLogger({ level, format: { kind: "json" } });
      for (const one of levels) log(one, "event");
      expect(lines.map((line) => JSON.parse(line).level)).toEqual(expected);
    },
  );

  test("cost nothing below the configured one: the fields aren't even looked at", () => {
    const { log, lines } = openLogger({ level: "info" });
    const fields = {
      get costly(): string {
        throw new Error("looked at");
      },
    };
    log("debug", "event", fields);
    expect(lines).toEqual([]);
    expect(() => log("info", "event", fields)).toThrow("looked at");
  });
});

describe("what consola would do on its own", () => {
  test("it would merge a field named message", () => {
    const { log, lines } = openLogger();
    log("info", "event", { message: "other", args: "x", type: "error", tag: "t", level: "critical" });
    expect(lines).toEqual([
      "ts=2026-01-02T03:04:05.678Z level=info msg=event service=shop message=other args=x type=error tag=t field_level=critical",
    ]);
  });

  test("it would drop events that repeat", () => {
    const { log, lines } = openLogger();
    for (let index = 0; index < 50; index += 1) log("error", "again");
    expect(lines.length).toBe(50);
  });

  test("it would drop them when the clock goes back, even with throttling off", () => {
    const { log, lines } = openLogger();
    try {
      for (let index = 50; index > 0; index -= 1) {
        setSystemTime(new Date(index * 10_000));
        log("error", "again");
      }
    } finally {
      setSystemTime();
    }
    expect(lines.length).toBe(50);
  });

  test("it would split a message of several lines", () => {
    const { log, lines } = openLogger();
    log("info", "one\ntwo", { additional: "three\nfour" });
    expect(lines.length).toBe(1);
    expect(parseLogfmt(lines[0] ?? "").map(([key]) => key)).toEqual([
      "ts",
      "level",
      "msg",
      "service",
      "additional",
    ]);
  });
});

describe("the format", () => {
  const event = (options: Parameters<typeof openLogger>[0]) => {
    const { log, lines } = openLogger(options);
    log("warning", "worker died", { set: "web" });
    return lines[0] ?? "";
  };

  test("is logfmt by default, and the human one on a terminal", () => {
    expect(event({})).toBe(
      'ts=2026-01-02T03:04:05.678Z level=warning msg="worker died" service=shop set=web',
    );
    expect(event({ isTerminal: true })).toMatch(/^[\d:.]{12} warning {2}worker died +set=web service=shop$/);
    expect(event({ isTerminal: true, color: true })).toContain("\u001b[33mwarning");
  });

  test("is what is configured, terminal or not", () => {
    for (const isTerminal of [true, false]) {
      expect(event({ isTerminal, color: true, format: { kind: "json" } })).toStartWith('{"ts":');
      expect(event({ isTerminal, color: true, format: { kind: "logfmt", printPrefix: false } })).toStartWith(
        "ts=",
      );
      expect(event({ isTerminal, color: true, format: { kind: "logfmt", printPrefix: true } })).toStartWith(
        "WARN | ",
      );
    }
  });
});

test("the sink learns to say how many events were dropped, whatever the level", () => {
  const { describeDropped } = openLogger({ level: "critical" });
  expect(describeDropped(123)).toBe(
    'ts=2026-01-02T03:04:05.678Z level=warning msg="log events dropped" service=shop dropped=123',
  );
});
