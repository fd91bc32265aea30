import { fstatSync } from "node:fs";
import { errorCode } from "../error-code.ts";

/** The sockets that we were started with, at the numbers at which the workers get them. */
export type InheritedSockets = {
  readonly firstDescriptor: number;
  readonly count: number;
  /** LISTEN_FDNAMES as it was: one name for each, separated by colons; undefined when there was none. */
  readonly names: string | undefined;
};

export type InheritedSocketsFound =
  | { readonly kind: "none" }
  /** LISTEN_PID names another process: they are not for us (sd_listen_fds(3)); worth a warning. */
  | { readonly kind: "foreign"; readonly pid: number }
  | { readonly kind: "inherited"; readonly sockets: InheritedSockets };

/** What was announced is malformed or not there; the message names the variable or the descriptor. */
export class InheritedSocketsError extends Error {
  override readonly name = "InheritedSocketsError";
}

/** sd_listen_fds(3): SD_LISTEN_FDS_START. */
const firstByConvention = 3;

/** More than any process can have open (sysctl fs.nr_open), so that a sum can't overflow. */
const mostDescriptors = 1 << 30;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES` and `LISTEN_FDS_FIRST_FD` (specification section 7), and makes
 * sure that every announced descriptor is there. Without a `LISTEN_PID` they are taken for ours: it is how starters
 * that can't know the pid (a shell, a container engine) announce them.
 *
 * Throws an `InheritedSocketsError`.
 */
export function readInheritedSockets(environment: Environment, ownPid = process.pid): InheritedSocketsFound {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, LISTEN_FDS_FIRST_FD } = environment;
  if (LISTEN_FDS === undefined || LISTEN_FDS === "") return { kind: "none" };
  if (LISTEN_PID !== undefined && LISTEN_PID !== "") {
    const pid = readNumber("LISTEN_PID", LISTEN_PID, 1);
    if (pid !== ownPid) return { kind: "foreign", pid };
  }
  const count = readNumber("LISTEN_FDS", LISTEN_FDS, 0);
  if (count === 0) return { kind: "none" };
  const firstDescriptor =
    LISTEN_FDS_FIRST_FD === undefined || LISTEN_FDS_FIRST_FD === ""
      ? firstByConvention
      : readNumber("LISTEN_FDS_FIRST_FD", LISTEN_FDS_FIRST_FD, firstByConvention);
  checkNames(LISTEN_FDNAMES, count);
  checkDescriptors(firstDescriptor, count);
  return { kind: "inherited", sockets: { firstDescriptor, count, names: LISTEN_FDNAMES } };
}

function readNumber(variable: string, value: string, least: number): number {
  const number = /^[0-9]{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= mostDescriptors) return number;
  throw new InheritedSocketsError(
    `${variable} is ${JSON.stringify(value)}, expected a whole number from ${least} on; unset it, or start kleinhirn by what opens the sockets`,
  );
}

/** libsystemd refuses a different number of names too, and so would the workers that use it. */
function checkNames(names: string | undefined, count: number): void {
  if (names === undefined) return;
  const given = names.split(":").length;
  if (given === count) return;
  throw new InheritedSocketsError(
    `LISTEN_FDNAMES has ${given} ${given === 1 ? "name" : "names"} (${JSON.stringify(names)}), but LISTEN_FDS announces ${count}`,
  );
}

function checkDescriptors(first: number, count: number): void {
  for (let descriptor = first; descriptor < first + count; descriptor++) {
    if (isInherited(descriptor)) continue;
    const range = count === 1 ? `descriptor ${first}` : `descriptors ${first} to ${first + count - 1}`;
    throw new InheritedSocketsError(
      `LISTEN_FDS announces ${range}, but ${descriptor} is not open; whoever started kleinhirn closed it on the way (a wrapper script, a package manager?)`,
    );
  }
}

/**
 * Being open is not enough: Bun opens an epoll and an event descriptor for itself before our first line, and they
 * take the lowest free numbers, so exactly those that are announced and closed. These two have no file type at all;
 * whatever can be handed down (a socket, a fifo, a file, a device) has one.
 */
function isInherited(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isSocket() || status.isFIFO() || status.isFile() || status.isCharacterDevice();
  } catch (error) {
    if (errorCode(error) === "EBADF") return false;
    throw error;
  }
}
