import { resolve } from "node:path";
import { quote } from "./printable.ts";
import { type Failed, fail, type Site } from "./reader.ts";
import type { World } from "./world.ts";

/** Where relative paths begin, and the machine on which they are looked at. */
export type Place = { readonly folder: string; readonly world: World };

/** The absolute path of a file that is there and can be read. */
export function requireFile(path: string, site: Site, place: Place): string | Failed {
  const absolute = resolve(place.folder, path);
  const look = place.world.look(absolute);
  const expected = "a file that can be read";
  if (look.kind === "absent")
    return fail(site, expected, `${quote(absolute)}, which isn't there (${look.reason})`);
  if (look.kind === "folder") return fail(site, expected, `${quote(absolute)}, which is a folder`);
  if (look.kind === "other") return fail(site, expected, `${quote(absolute)}, which is no regular file`);
  return look.readable ? absolute : fail(site, expected, `${quote(absolute)}, which may not be read`);
}

/** The absolute path of a folder that a process can work in. */
export function requireFolder(path: string, site: Site, place: Place): string | Failed {
  const absolute = resolve(place.folder, path);
  const look = place.world.look(absolute);
  const expected = "a folder that can be entered";
  if (look.kind === "absent")
    return fail(site, expected, `${quote(absolute)}, which isn't there (${look.reason})`);
  if (look.kind !== "folder") return fail(site, expected, `${quote(absolute)}, which is no folder`);
  return look.executable ? absolute : fail(site, expected, `${quote(absolute)}, which may not be entered`);
}
