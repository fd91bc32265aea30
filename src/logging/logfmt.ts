import type { Level } from "../core/log-event.ts";
import { escapeCodeUnit } from "../escape.ts";
import { type Field, type FieldValue, type LogRecord, recordFields } from "./log-record.ts";

/**
 * What makes a value need quotes. go-logfmt's rule is: anything up to the space, `=`, `"`, DEL, U+FFFD. Quoting more is
 * harmless to its decoders, so the rest of Unicode's white space, controls and direction marks is quoted too (readers that
 * split at any white space would see a further key), `'`, which its older decoders refuse outside quotes, and a backslash at
 * the end, with which readers that unescape everywhere (npm's logfmt) take the next field for a part of this one.
 */
const needsQuotes = /[\s="'\uFFFD\p{Cc}\p{Bidi_Control}]|\\$/u;

const needsEscape = /["\\\uFFFD\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** The level words of the original's lead (those of Rust's slog). */
const leadWords: Readonly<Record<Level, string>> = {
  critical: "CRIT",
  error: "ERRO",
  warning: "WARN",
  info: "INFO",
  debug: "DEBG",
  trace: "TRCE",
};

/** `ts=… level=info msg="worker ready" service=shop set=web`, without the newline. */
export function renderLogfmt(record: LogRecord): string {
  return encodeLogfmt(recordFields(record));
}

/**
 * `INFO | worker ready⇥ts=… service=shop set=web`: the lead that `print_prefix = true` gave in the original, where level
 * and message stood before a tab and not again among the fields. A message that could be taken for fields is quoted.
 */
export function renderPrefixedLogfmt(record: LogRecord): string {
  const lead = `${leadWords[record.level]} | ${encodeLeadMessage(record.message)}`;
  const fields = recordFields(record).filter(([key]) => key !== "level" && key !== "msg");
  return `${lead}\t${encodeLogfmt(fields)}`;
}

/** The fields, whose keys must be safe already (see `safeFields`), as one line of logfmt. */
export function encodeLogfmt(fields: readonly Field[]): string {
  return fields.map(([key, value]) => `${key}=${encodeValue(value)}`).join(" ");
}

function encodeValue(value: FieldValue): string {
  if (typeof value !== "string") return String(value);
  const text = value.toWellFormed();
  // A bare `null` is logfmt's way to say that there is no value.
  return text === "null" || needsQuotes.test(text) ? quote(text) : text;
}

/** Spaces alone are no danger in the lead: without a `=` there is no field. */
function encodeLeadMessage(message: string): string {
  const text = message.toWellFormed();
  return needsQuotes.test(text.replaceAll(" ", "")) ? quote(text) : text;
}

/** A backslash at the end becomes `\u005c`: `\\"` is an escaped quote to some readers (Ruby's logfmt). */
function quote(text: string): string {
  const escaped = (character: string, at: number) =>
    character === "\\" && at === text.length - 1
      ? escapeCodeUnit(character)
      : (shortEscapes[character] ?? escapeCodeUnit(character));
  return `"${text.replace(needsEscape, escaped)}"`;
}
