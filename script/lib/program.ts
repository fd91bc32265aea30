import { join, resolve } from "node:path";
import { repositoryRoot } from "./repository-files.ts";

/** A built kleinhirn to run instead of the source tree: a binary, or a script for Bun (`script/test --binary` says it). */
const built = process.env.KLEINHIRN_PROGRAM;

/** Whether it is a single file that is run, and not the tree. */
export const isBuilt = built !== undefined;

/** What starts kleinhirn, to put its arguments after. */
export const kleinhirn: readonly [string, ...string[]] = startOf(
  // Made absolute, because tests start it in folders of their own.
  built === undefined ? join(repositoryRoot, "kleinhirn.ts") : resolve(built),
);

function startOf(file: string): readonly [string, ...string[]] {
  return /\.[jt]s$/.test(file) ? [process.execPath, file] : [file];
}
