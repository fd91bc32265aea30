/** Loads a configuration for a command, or says what is wrong with it. */
import { writeSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { formatConfigErrors } from "../config/config-error.ts";
import type { LoadResult } from "../config/load.ts";
import { exitConfig, exitNoInput } from "./exit-code.ts";

export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly exitCode: number };

/** All errors of a file are printed at once. */
export function reportLoad(result: LoadResult): Loaded {
  if (result.ok) return result;
  if (result.reason === "unreadable") {
    complain(`kleinhirn: ${result.message}`);
    return { ok: false, exitCode: exitNoInput };
  }
  const { length } = result.errors;
  complain(formatConfigErrors(result.errors));
  complain(
    `kleinhirn: ${length === 1 ? "one error" : `${length} errors`} in the configuration; nothing was started`,
  );
  return { ok: false, exitCode: exitConfig };
}

/**
 * To standard error, without `process.stderr`: Bun makes a pipe there non-blocking as soon as it is touched, for all
 * who share it, workers included.
 */
export function complain(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Nobody is there to read it; the exit status says it too.
  }
}

export function print(text: string): void {
  try {
    writeSync(1, text.endsWith("\n") ? text : `${text}\n`);
  } catch {
    // As above.
  }
}
