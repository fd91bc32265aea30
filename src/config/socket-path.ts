import { dirname } from "node:path";
import { quote } from "./printable.ts";
import { type Failed, fail, failed, type Site, type ValueType } from "./reader.ts";
import { text } from "./value-types.ts";
import type { World } from "./world.ts";

/**
 * `sun_path` has 108 bytes (unix(7)). One is needed for the NUL at the end of a path, or for the one at the beginning of
 * an abstract name.
 */
const longestSocketPathBytes = 107;

const expectedLength = `a socket path of at most ${longestSocketPathBytes} bytes, the kernel's limit`;

/** `@name` for the abstract namespace, or a path that is not yet resolved against a folder. */
export const socketAddress: ValueType<string> = {
  name: "path or @name",
  read: (value, site) => {
    const address = text('a path, or "@name" for the abstract namespace').read(value, site);
    if (address === "@") return fail(site, 'a name after the "@"', '"@"');
    if (address === failed || !address.startsWith("@")) return address;
    return checkLength(address, address.slice(1), site) ?? address;
  },
};

/** Undefined when the path fits and a socket can be made there; else `failed`, and the site has the error. */
export function checkSocketPath(path: string, site: Site, world: World): Failed | undefined {
  const length = checkLength(path, path, site);
  if (length !== undefined) return length;
  const folder = world.look(dirname(path));
  if (folder.kind !== "folder") return fail(site, "a path in a folder that exists", quote(path));
  return world.look(path).kind === "folder"
    ? fail(site, "the path of a socket", `${quote(path)}, a folder`)
    : undefined;
}

function checkLength(shown: string, counted: string, site: Site): Failed | undefined {
  const bytes = new TextEncoder().encode(counted).length;
  return bytes <= longestSocketPathBytes
    ? undefined
    : fail(site, expectedLength, `${bytes} bytes: ${quote(shown)}`);
}

/**
 * Where the supervisor's socket goes when the file says nothing, in the order in which to try (specification section 5);
 * a relative `XDG_RUNTIME_DIR` doesn't count, as its standard says.
 */
export function listDefaultSocketPaths(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const runtimeFolder = env.XDG_RUNTIME_DIR ?? "";
  const folders = runtimeFolder.startsWith("/") ? [runtimeFolder.replace(/(.)\/+$/, "$1"), "/tmp"] : ["/tmp"];
  return folders.map((folder) => `${folder}/kleinhirn-${name}.sock`);
}

/** The name may be too long for the folder that it would go to; found out now, not when the socket is bound. */
export function checkDefaultSocketPaths(name: string, site: Site, world: World): Failed | undefined {
  const advice = "set supervisor.socket, or choose a shorter name or XDG_RUNTIME_DIR";
  for (const path of listDefaultSocketPaths(name, world.env)) {
    const bytes = new TextEncoder().encode(path).length;
    if (bytes > longestSocketPathBytes) {
      return fail(site, expectedLength, `${bytes} bytes by default: ${quote(path)}`, advice);
    }
  }
  return undefined;
}
