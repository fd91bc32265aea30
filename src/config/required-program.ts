import type { Place } from "./files.ts";
import { findProgram } from "./program.ts";
import { type Failed, fail, siteOf, type TableSite } from "./reader.ts";
import { workerFields as fields } from "./schema.ts";
import { isTomlArray, TomlTable } from "./toml.ts";

/**
 * Undefined when the workers will find their program, or when it can't be told because of another mistake; else `failed`.
 * It looks into the table itself, so that a wrong argument or variable beside it doesn't hide a program that isn't there.
 *
 * @param cwd the workers' folder
 */
export function refuseMissingProgram(
  table: TableSite,
  type: "program" | "ruby",
  cwd: string | Failed,
  place: Place,
): Failed | undefined {
  const program = type === "ruby" ? "ruby" : readProgramName(table);
  const isRelativePath = program?.includes("/") && !program.startsWith("/");
  const folder = cwd ?? (isRelativePath ? undefined : place.folder);
  if (program === undefined || folder === undefined) return undefined;
  const search = findProgram(program, folder, readSearchPath(table) ?? place.world.env.PATH, place.world);
  if (search.ok) return undefined;
  const key = type === "ruby" ? fields.type.key : fields.cmdline.key;
  return fail(siteOf(table, key), "a program that can be executed", search.found);
}

function readProgramName(table: TableSite): string | undefined {
  const cmdline = table.table.entries.get(fields.cmdline.key)?.value;
  const program = cmdline !== undefined && isTomlArray(cmdline) ? cmdline[0] : undefined;
  return typeof program === "string" && program !== "" && !program.includes("\0") ? program : undefined;
}

/** The PATH that the set gives its workers, if it does. */
function readSearchPath(table: TableSite): string | undefined {
  const env = table.table.entries.get(fields.env.key)?.value;
  const path = env instanceof TomlTable ? env.entries.get("PATH")?.value : undefined;
  return typeof path === "string" ? path : undefined;
}
