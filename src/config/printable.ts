import { escapeUnsafe } from "../escape.ts";
import { TomlTable, type TomlValue } from "./toml.ts";

const longestQuote = 80;

/** In double quotes, escaped, and cut where it is too long for a line of an error message. */
export function quote(text: string): string {
  const shown = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  return escapeUnsafe(JSON.stringify(shown));
}

/** `"web" (a string)`, `10 (an integer)`, `a table`: what stands there, in the words of TOML. */
export function describeValue(value: TomlValue): string {
  const type = describeType(value);
  if (typeof value === "string") return `${quote(value)} (${type})`;
  if (typeof value === "number" || typeof value === "boolean") return `${value} (${type})`;
  // The parser's subclasses of Date print only what stood in the file.
  if (value instanceof Date) return `${value.toISOString()} (${type})`;
  return type;
}

/** `an integer`: the type alone, for places where the value may be a secret. */
export function describeType(value: TomlValue): string {
  if (typeof value === "number") return Number.isInteger(value) ? "an integer" : "a float";
  // The parser cuts integers down to 64 bits, so the number that it made need not be the one in the file.
  if (typeof value === "bigint") return "an integer beyond 2^53";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (value instanceof Date) return describeDateType(value);
  if (value instanceof TomlTable) return "a table";
  return value.length > 0 && value.every((element) => element instanceof TomlTable)
    ? "an array of tables"
    : "an array";
}

/** The parser marks dates and times of day, which are Dates to it as well. */
function describeDateType(date: Date): string {
  if ("isTime" in date) return "a time";
  return "isDate" in date ? "a date" : "a date and time";
}

/** `workers.web.count`; parts that aren't bare TOML keys stand in quotes. */
export function formatKey(parts: readonly string[]): string {
  return parts.map((part) => (/^[A-Za-z0-9_-]+(\[\d+\])?$/.test(part) ? part : quote(part))).join(".");
}
