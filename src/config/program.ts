import { resolve } from "node:path";
import { quote } from "./printable.ts";
import type { World } from "./world.ts";

export type ProgramSearch =
  | { readonly ok: true; readonly path: string }
  /** Says what stands there instead, in a few words. */
  | { readonly ok: false; readonly found: string };

/** Where execvp(3) looks when there is no PATH. */
const pathWithoutPath = "/bin:/usr/bin";

/**
 * Finds a program as execvp(3) would: a name with a slash is a path, relative to `cwd`; any other is looked for in each
 * folder of PATH, where an empty or relative folder is relative to `cwd` too.
 *
 * @param searchPath the PATH that the worker will have
 */
export function findProgram(
  program: string,
  cwd: string,
  searchPath: string | undefined,
  world: World,
): ProgramSearch {
  if (program.includes("/")) return checkProgram(program, resolve(cwd, program), world);
  let obstacle: ProgramSearch | undefined;
  for (const folder of (searchPath ?? pathWithoutPath).split(":")) {
    const candidate = resolve(cwd, folder, program);
    if (world.look(candidate).kind === "absent") continue;
    const search = checkProgram(program, candidate, world);
    if (search.ok) return search;
    obstacle ??= search;
  }
  return obstacle ?? { ok: false, found: `${quote(program)}, which is in no folder of PATH` };
}

function checkProgram(program: string, path: string, world: World): ProgramSearch {
  const look = world.look(path);
  const shown = program === path ? quote(program) : `${quote(program)} at ${quote(path)}`;
  if (look.kind === "absent") return { ok: false, found: `${shown}, which isn't there (${look.reason})` };
  if (look.kind === "folder") return { ok: false, found: `${shown}, which is a folder` };
  if (look.kind !== "file" || !look.executable)
    return { ok: false, found: `${shown}, which isn't executable` };
  return { ok: true, path };
}
