import { PositionedParser, unshield } from "./positions.ts";

export type TomlValue = string | number | bigint | boolean | Date | readonly TomlValue[] | TomlTable;

export type TomlEntry = {
  readonly value: TomlValue;
  /** Line of the key, counted from 1; undefined for what no file says (`kleinhirn run -- CMD`). */
  readonly line: number | undefined;
};

/** A table with its keys in file order. A Map, because a key may be called `__proto__` or `constructor`. */
export class TomlTable {
  readonly entries: ReadonlyMap<string, TomlEntry>;

  constructor(entries: ReadonlyMap<string, TomlEntry>) {
    this.entries = entries;
  }
}

/** `Array.isArray` alone forgets what the elements are, and that they are read-only. */
export function isTomlArray(value: TomlValue): value is readonly TomlValue[] {
  return Array.isArray(value);
}

export type TomlResult =
  | { readonly ok: true; readonly root: TomlTable }
  | { readonly ok: false; readonly line: number; readonly message: string };

/** Reads TOML 1.0 in UTF-8, with or without a byte order mark. Never throws: what is wrong comes back with its line. */
export function parseToml(bytes: Uint8Array): TomlResult {
  const decoded = decodeUtf8(bytes);
  return decoded.ok ? parseText(decoded.text) : decoded;
}

type DecodeResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly line: number; readonly message: string };

function decodeUtf8(bytes: Uint8Array): DecodeResult {
  try {
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, ...findInvalidByte(bytes) };
  }
}

/** The decoder tells only that something is wrong, so look for the first place where decoding isn't reversible. */
function findInvalidByte(bytes: Uint8Array): { line: number; message: string } {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) return { line: 1, message: "a file in UTF-16; save it as UTF-8" };
  const lossy = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const again = new TextEncoder().encode(lossy);
  let offset = 0;
  while (offset < bytes.length && bytes[offset] === again[offset]) offset++;
  const line = bytes.subarray(0, offset).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
  return { line, message: `text that is not UTF-8, at byte ${offset} of the file` };
}

function parseText(text: string): TomlResult {
  const parser = new PositionedParser();
  try {
    parser.parse(text);
    return { ok: true, root: convertTable(parser.finish(), parser) };
  } catch (error) {
    return { ok: false, ...explainSyntaxError(error, parser, text) };
  }
}

function convertTable(table: object, parser: PositionedParser): TomlTable {
  const lines = parser.lines.get(table);
  const entries = new Map<string, TomlEntry>();
  for (const [key, value] of Object.entries(table)) {
    entries.set(unshield(key), { value: convertValue(value, parser), line: lines?.get(key) });
  }
  return new TomlTable(entries);
}

function convertValue(value: unknown, parser: PositionedParser): TomlValue {
  if (Array.isArray(value)) return value.map((element) => convertValue(element, parser));
  if (value instanceof Date) return value;
  if (typeof value === "object" && value !== null) return convertTable(value, parser);
  if (isScalar(value)) return value;
  throw new Error(`the TOML parser made a ${typeof value}`);
}

function isScalar(value: unknown): value is string | number | bigint | boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function explainSyntaxError(
  error: unknown,
  parser: PositionedParser,
  text: string,
): { line: number; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("redefine") && parser.subject !== undefined) {
    return explainRepetition(parser, parser.subject);
  }
  const index = Math.min(parser.ii, text.length);
  const column = index - text.lastIndexOf("\n", index - 1);
  return {
    line: parser.line + 1,
    message: `${improveMessage(error, message, parser.char)} at column ${column}`,
  };
}

function explainRepetition(
  parser: PositionedParser,
  subject: { path: readonly string[]; line: number },
): { line: number; message: string } {
  const key = subject.path.map(unshield).join(".");
  const first = parser.lineOf(subject.path);
  const where = first === undefined ? "" : `; the first is on line ${first}`;
  return { line: subject.line, message: `a second definition of "${key}"${where}` };
}

/** The library names characters by their decimal codes, and calls an inline table an array. */
function improveMessage(error: unknown, message: string, char: number): string {
  if (error instanceof RangeError) return "values nested too deeply";
  // At the end of the file the library's character is one beyond Unicode.
  const character = char > 0x10ffff ? "" : String.fromCodePoint(char);
  if (message.startsWith("Unknown character")) return `unexpected ${JSON.stringify(character)}`;
  if (message.startsWith("Unknown escape")) return `an unknown escape "\\${character}"`;
  if (message === "Unterminated inline array") return "an unterminated array or inline table";
  return message.charAt(0).toLowerCase() + message.slice(1);
}
