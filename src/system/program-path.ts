import { accessSync, constants, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { errorCode } from "../error-code.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

/** Where a C library looks when the environment has no PATH (execvp(3)). */
const pathByDefault = "/bin:/usr/bin";

/**
 * The program that execvp(3) would execute for `name` in the folder `cwd` with this `PATH`: a name with a slash is a
 * path, relative to `cwd`; any other is looked for in the folders of `PATH`, an empty one being `cwd`. The answer may
 * be relative to `cwd` too.
 *
 * Throws an `OperatingSystemError`: `ENOENT`, or `EACCES` when there is such a file and it may not be executed.
 */
export function resolveProgram(name: string, cwd: string, path: string | undefined): string {
  if (name.includes("/")) {
    const code = checkExecutable(resolve(cwd, name));
    if (code === undefined) return name;
    throw new OperatingSystemError(code, "execve", `program ${JSON.stringify(name)}${explain(code)}`);
  }
  let denied = false;
  for (const folder of name === "" ? [] : (path ?? pathByDefault).split(":")) {
    const candidate = folder === "" ? `./${name}` : join(folder, name);
    const code = checkExecutable(resolve(cwd, candidate));
    if (code === undefined) return candidate.includes("/") ? candidate : `./${candidate}`;
    denied ||= code === "EACCES";
  }
  const code = denied ? "EACCES" : "ENOENT";
  throw new OperatingSystemError(code, "execve", `program ${JSON.stringify(name)} in PATH${explain(code)}`);
}

function explain(code: string): string {
  if (code === "EACCES") return ": the file is there but may not be executed";
  return code === "ENOENT" ? ": there is no such file" : "";
}

/** The name of the error, or undefined when the file may be executed. */
function checkExecutable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : "EACCES";
  } catch (error) {
    return errorCode(error) ?? "EIO";
  }
}
