import { dirname, resolve } from "node:path";
import type { Config } from "./config.ts";
import type { ConfigError } from "./config-error.ts";
import { quote } from "./printable.ts";
import { readConfig } from "./read-config.ts";
import { ErrorList, failed } from "./reader.ts";
import { parseToml, type TomlTable } from "./toml.ts";
import type { World } from "./world.ts";

export type LoadResult =
  | { readonly ok: true; readonly config: Config }
  /** Exit 78; `formatConfigErrors` makes the text. */
  | { readonly ok: false; readonly reason: "invalid"; readonly errors: readonly ConfigError[] }
  /** Exit 66; `message` is ready for the user, `code` is the system's, such as `ENOENT`. */
  | { readonly ok: false; readonly reason: "unreadable"; readonly code: string; readonly message: string };

/**
 * Reads and validates a configuration file, and looks whether the programs, files and folders that it names are there.
 * Starts nothing, and never throws for what a file or a machine may hold.
 *
 * @param file relative to the world's current folder
 */
export function loadConfig(file: string, world: World): LoadResult {
  const path = resolve(world.currentFolder, file);
  const read = world.readFile(path);
  if (!read.ok) return describeUnreadable(file, read.code);
  const errors = new ErrorList(file);
  const toml = parseToml(read.bytes);
  if (!toml.ok) {
    const { line, message } = toml;
    errors.add({ kind: "invalid", line, key: "", expected: "valid TOML", found: message });
    return { ok: false, reason: "invalid", errors: errors.arranged() };
  }
  return validateDocument(toml.root, errors, { file: path, folder: dirname(path), world });
}

/** The rest of the way, for a document that a file or a command line has brought. */
export function validateDocument(
  root: TomlTable,
  errors: ErrorList,
  origin: { readonly file: string | undefined; readonly folder: string; readonly world: World },
): LoadResult {
  const site = { errors, path: [], line: undefined, table: root };
  const config = readConfig(site, origin.file, origin);
  if (config === failed) return { ok: false, reason: "invalid", errors: errors.arranged() };
  return { ok: true, config };
}

function describeUnreadable(file: string, code: string): LoadResult {
  return { ok: false, reason: "unreadable", code, message: explainUnreadable(quote(file), code) };
}

function explainUnreadable(file: string, code: string): string {
  if (code === "ENOENT") return `there is no configuration file ${file} (ENOENT); name one with -f FILE`;
  if (code === "EISDIR")
    return `the configuration file ${file} is a folder (EISDIR); name a file with -f FILE`;
  return `the configuration file ${file} can't be read (${code})`;
}
