import { type ConsolaReporter, createConsola, LogLevels, type LogType, LogTypes } from "consola/core";
import type { Config, LogFormat } from "../config/config.ts";
import { assertNever } from "../core/assert-never.ts";
import type { Fields, Level, LogEvent } from "../core/log-event.ts";
import { renderJson } from "./json.ts";
import { type LogRecord, safeFields } from "./log-record.ts";
import { renderLogfmt, renderPrefixedLogfmt } from "./logfmt.ts";
import { renderPretty } from "./pretty.ts";
import type { Sink } from "./sink.ts";

export type Logger = {
  log(event: LogEvent): void;
};

export type LoggerOptions = {
  readonly config: Pick<Config["log"], "level" | "format">;
  /** `supervisor.name`: the `service` of every line. */
  readonly service: string;
  readonly sink: Sink;
  /** Whether the sink's descriptor is a terminal: see `createLogger`. */
  readonly isTerminal: boolean;
  /** For the human format alone; see `wantsColor`. */
  readonly color: boolean;
  readonly now: () => Date;
};

/** consola's name for each of our levels; where they differ, our own stands in the line. */
const consolaTypes = {
  critical: "fatal",
  error: "error",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
} as const satisfies Record<Level, LogType>;

/** consola has `fatal` and `error` on one level, so that one couldn't ask for the former alone. */
const consolaLevels = { ...LogLevels, fatal: LogLevels.error - 1 };

/**
 * Renders events that are at least as grave as the configured level, and hands them to the sink.
 *
 * Whoever calls this must not touch `process.stderr` or `process.stdout`, be it only for `isTTY`: Bun then makes a pipe there
 * non-blocking for everybody who shares it, workers included. isatty(3) doesn't.
 */
export function createLogger(options: LoggerOptions): Logger {
  const render = createRenderer(options);
  const reporter: ConsolaReporter = {
    log: ({ args }) => {
      // consola passes on what `log` below gave it; its types don't say so.
      const [level, message, fields] = args as [Level, string, Fields];
      options.sink.write(render(level, message, fields));
    },
  };
  const consola = createConsola({
    level: consolaLevels[consolaTypes[options.config.level]],
    types: { ...LogTypes, fatal: { level: consolaLevels.fatal } },
    reporters: [reporter],
    // consola drops repeated events that come within this time of each other. With 0 it would still do so, and hold
    // the process for a while, whenever the clock is set back.
    throttle: Number.NEGATIVE_INFINITY,
  });
  // The line that says what is missing is written whatever the level is: it is about the log itself.
  options.sink.describeDropped((dropped) => render("warning", "log events dropped", { dropped }));
  return {
    // Several arguments, because consola takes a lone object with a `message` for a record of its own.
    log: ({ level, message, fields }) => consola[consolaTypes[level]](level, message, fields),
  };
}

function createRenderer(options: LoggerOptions): (level: Level, message: string, fields: Fields) => string {
  const { service, now, color } = options;
  const defaultFormat: LogFormat = options.isTerminal
    ? { kind: "human" }
    : { kind: "logfmt", printPrefix: false };
  const encode = chooseEncoder(options.config.format ?? defaultFormat, color);
  return (level, message, fields) =>
    encode({ time: now(), level, message, service, fields: safeFields(fields) });
}

function chooseEncoder(format: LogFormat, color: boolean): (record: LogRecord) => string {
  switch (format.kind) {
    case "logfmt":
      return format.printPrefix ? renderPrefixedLogfmt : renderLogfmt;
    case "json":
      return renderJson;
    case "human":
      return (record) => renderPretty(record, color);
    default:
      return assertNever(format);
  }
}
