import { isatty } from "./libc.ts";

/** isatty(3). Not node:tty's, which brings streams and sockets along that a supervisor has no use for. */
export function isTerminal(descriptor: number): boolean {
  return isatty(descriptor);
}
