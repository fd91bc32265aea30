import { accessSync, constants, readFileSync, type Stats, statSync } from "node:fs";
import { nameError } from "../error-code.ts";
import type { Look, ReadResult, World } from "./world.ts";

/** The machine that we run on; `availableCpus` counts what the cgroup grants. */
export function createRealWorld(availableCpus: () => number): World {
  return { currentFolder: process.cwd(), env: process.env, look, readFile, availableCpus };
}

function look(path: string): Look {
  try {
    const stats = statSync(path);
    return {
      kind: kindOf(stats),
      readable: mayAccess(path, constants.R_OK),
      executable: mayAccess(path, constants.X_OK),
    };
  } catch (error) {
    return { kind: "absent", reason: nameError(error) };
  }
}

function kindOf(stats: Stats): "file" | "folder" | "other" {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "folder" : "other";
}

function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function readFile(path: string): ReadResult {
  try {
    return { ok: true, bytes: readFileSync(path) };
  } catch (error) {
    // A path that holds a NUL makes Bun throw its own `ERR_INVALID_ARG_VALUE`, which serves as well.
    return { ok: false, code: nameError(error) };
  }
}
