import type { Level } from "../core/log-event.ts";
import { escapeUnsafe } from "../escape.ts";
import type { Field, LogRecord } from "./log-record.ts";
import { encodeLogfmt } from "./logfmt.ts";

/** Select Graphic Rendition parameters (ECMA-48 §8.3.117) that every terminal with colours knows. */
const style = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  onRed: "97;41",
} as const;

const levelStyles: Readonly<Record<Level, string>> = {
  critical: style.onRed,
  error: style.red,
  warning: style.yellow,
  info: style.green,
  debug: style.blue,
  trace: style.dim,
};

const levelWidth = "critical".length;

/** Messages are padded to this, so that the fields of most lines begin in one column. */
const messageWidth = 28;

/**
 * The format for a person at a terminal: `21:04:05.123 info     worker ready   set=web slot=0`, local time, the fields dim,
 * the service last as it is the same on every line. A backtrace (the field `error` when it has several lines) stands
 * below, indented. Nothing that a worker says reaches the terminal as a control character, and no line of it begins in
 * the first column, where it could pass for an event.
 */
export function renderPretty(record: LogRecord, color: boolean): string {
  const paint = (text: string, parameters: string) =>
    color ? `\u001b[${parameters}m${text}\u001b[0m` : text;
  const backtrace = record.fields.find(isBacktrace);
  const inline: Field[] = record.fields.filter((field) => field !== backtrace);
  const line = [
    paint(localTime(record.time), style.dim),
    paint(record.level.padEnd(levelWidth), levelStyles[record.level]),
    paint(escapeUnsafe(record.message).padEnd(messageWidth), style.bold),
    paint(encodeLogfmt([...inline, ["service", record.service]]), style.dim),
  ].join(" ");
  if (backtrace === undefined) return line;
  const indent = paint("    │ ", style.dim);
  return [line, ...backtraceLines(String(backtrace[1])).map((text) => `${indent}${text}`)].join("\n");
}

/** Whether to colour: never with NO_COLOR set to anything (no-color.org) or on a dumb terminal. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  return isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
}

function isBacktrace([key, value]: Field): boolean {
  return key === "error" && typeof value === "string" && value.trimEnd().includes("\n");
}

function backtraceLines(text: string): string[] {
  const lines = text.trimEnd().split(/\r?\n/);
  return lines.map((line) => escapeUnsafe(line.replaceAll("\t", "    ")));
}

function localTime(time: Date): string {
  const digits = (value: number, width: number) => String(value).padStart(width, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => digits(part, 2))
    .join(":");
  return `${clock}.${digits(time.getMilliseconds(), 3)}`;
}
