import { escapeUnsafe } from "../escape.ts";
import { type LogRecord, recordFields } from "./log-record.ts";

/**
 * One JSON object on one line, without the newline. It is put together by hand because an object would move keys such as
 * `0` to the front and take `__proto__` for its prototype. Numbers that JSON doesn't know (NaN, Infinity) become null.
 */
export function renderJson(record: LogRecord): string {
  const members = recordFields(record).map(
    ([key, value]) => `${JSON.stringify(key)}:${encodeJsonValue(value)}`,
  );
  return `{${members.join(",")}}`;
}

/**
 * JSON.stringify leaves DEL, C1 controls and U+2028 as they are, and some readers take those for line ends. Escaped after
 * it, they can only stand inside a string, where `\uXXXX` means the same.
 */
function encodeJsonValue(value: string | number | boolean): string {
  return typeof value === "string"
    ? escapeUnsafe(JSON.stringify(value.toWellFormed()))
    : JSON.stringify(value);
}
