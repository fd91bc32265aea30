/** Readers of our log that are not ours: what they find is what was meant, or a line has been forged. */
import { parse } from "logfmt";
import { parseLogfmt } from "../../logging/logfmt-parser.ts";

export type Expected = readonly (readonly [key: string, value: unknown])[];

/** Throws unless the line is one JSON object with these members, in this order, and no other. */
export function readAsJson(line: string, expected: Expected): void {
  // Numbers that JSON doesn't know are null, and it knows no negative zero.
  const meant = expected.map(([key, value]) => [key, JSON.parse(JSON.stringify(wellFormed(value)))]);
  const members: unknown = JSON.parse(line, undefined);
  if (typeof members !== "object" || members === null) throw new Error(`no object: ${line}`);
  compare(sorted(Object.entries(members)), sorted(meant), line);
}

/** By the grammar of go-logfmt, as a strict reader sees it: the very same fields, in order, with their values. */
export function readAsLogfmt(line: string, expected: Expected): void {
  const meant = expected.map(([key, value]) => [key, String(wellFormed(value))]);
  compare(parseLogfmt(line), meant, line);
}

/**
 * By npm's `logfmt`. It is simpler than go-logfmt: of an escape it drops the backslash and keeps the rest. So values that
 * have one are not compared, but each field has to be there, and no other.
 */
export function readByLibrary(line: string, expected: Expected): void {
  const found = parse(line);
  const own = expected.filter(([key]) => key !== "__proto__");
  compare(Object.keys(found).sort(), own.map(([key]) => key).sort(), line);
  for (const [key, value] of own) {
    const text = String(wellFormed(value));
    if (/[\\"\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufffd]/u.test(text)) continue;
    compare(String(found[key] ?? ""), text, line);
  }
}

function wellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** JavaScript's objects put keys that are numbers first, whatever the line says. */
function sorted(entries: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return entries.toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1));
}

function compare(found: unknown, meant: unknown, line: string): void {
  if (Bun.deepEquals(found, meant, true)) return;
  throw new Error(
    `${JSON.stringify(line)} was read as ${JSON.stringify(found)}, meant was ${JSON.stringify(meant)}`,
  );
}
