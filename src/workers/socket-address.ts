/** Where the supervisor's socket may be (specification section 5). */
import { listDefaultSocketPaths } from "../config/socket-path.ts";

/**
 * The places to try, in order. A configured address is the only one; without it the first place where files can be
 * made is taken, and in a container where there is none, the abstract namespace.
 */
export function socketAddresses(
  name: string,
  configured: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (configured !== undefined) return [configured];
  return [...listDefaultSocketPaths(name, environment), `@kleinhirn-${name}`];
}

/** Errors that say "not here", as opposed to "not at all": a read-only container, no such folder, not ours to write, full. */
const unwritable: ReadonlySet<string> = new Set([
  "EROFS",
  "EACCES",
  "EPERM",
  "ENOENT",
  "ENOTDIR",
  "ENOSPC",
  "EDQUOT",
]);

export function isUnwritable(code: string | undefined): boolean {
  return code !== undefined && unwritable.has(code);
}

export function isAbstract(address: string): boolean {
  return address.startsWith("@");
}
