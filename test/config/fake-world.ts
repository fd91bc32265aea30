import { dirname } from "node:path";
import type { Look, World } from "../../src/config/world.ts";

export type FakeMachine = {
  /** Readable files by absolute path, with what is in them; the folders around them exist. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly folders?: readonly string[];
  /** Files that may be executed. */
  readonly programs?: readonly string[];
  /** Things that are there but may be neither read, entered nor executed. */
  readonly closed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cpus?: number;
  readonly currentFolder?: string;
};

/** A machine of a test's own: nothing is there but what it names, and `/`, `/tmp` and the programs of `/bin`. */
export function createFakeWorld(machine: FakeMachine = {}): World {
  const files = new Map(Object.entries(machine.files ?? {}));
  const programs = new Set([
    "/bin/sleep",
    "/bin/nc",
    "/bin/bundle",
    "/bin/ruby",
    ...(machine.programs ?? []),
  ]);
  const closed = new Set(machine.closed);
  const folders = new Set(["/", "/tmp", ...(machine.folders ?? [])]);
  for (const path of [...files.keys(), ...programs]) addParents(path, folders);
  const look = (path: string): Look => {
    const open = !closed.has(path);
    if (folders.has(path)) return { kind: "folder", readable: open, executable: open };
    if (programs.has(path)) return { kind: "file", readable: open, executable: open };
    if (files.has(path)) return { kind: "file", readable: open, executable: false };
    return { kind: "absent", reason: "ENOENT" };
  };
  return {
    currentFolder: machine.currentFolder ?? "/srv/shop",
    env: { PATH: "/usr/bin:/bin", ...machine.env },
    look,
    readFile: (path) => {
      const content = files.get(path);
      if (folders.has(path)) return { ok: false, code: "EISDIR" };
      if (content === undefined) return { ok: false, code: "ENOENT" };
      if (closed.has(path)) return { ok: false, code: "EACCES" };
      return { ok: true, bytes: typeof content === "string" ? new TextEncoder().encode(content) : content };
    },
    availableCpus: () => machine.cpus ?? 4,
  };
}

function addParents(path: string, folders: Set<string>): void {
  for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
}
