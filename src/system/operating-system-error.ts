import { constants } from "node:os";

/** Some numbers have two names (EAGAIN and EWOULDBLOCK); the first by the alphabet is the one that manuals use. */
const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .sort(([one], [other]) => (one < other ? 1 : -1))
    .map(([name, number]) => [number, name]),
);

/** `EAGAIN` for 11; `E` and the number for one that has no name here. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** The operating system refused something. `code` is errno's name (`ENOENT`), `syscall` what was tried. */
export class OperatingSystemError extends Error {
  override readonly name = "OperatingSystemError";
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, detail: string, options?: ErrorOptions) {
    super(`${syscall}: ${code}${detail === "" ? "" : `, ${detail}`}`, options);
    this.code = code;
    this.syscall = syscall;
  }
}
