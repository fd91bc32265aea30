import { closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";

/** How long a pool thread may take for a write, should its reader not be stalled, however busy the machine is. */
const settleMs = 100;

/**
 * Writes the parts in order, before it returns, and gives up at the first error: a full disk, a reader that is gone or
 * that doesn't read. `isBusy` says that a pool thread has been given a write on the same descriptor, and has perhaps come
 * to its end long since, with only the news of it still waiting for this thread.
 */
export function writeUnlessStalled(fd: number, parts: readonly Uint8Array[], isBusy: boolean): void {
  if (isBusy) waitMs(settleMs);
  try {
    const writer = openUnblocking(fd);
    if (writer === undefined && isBusy) return writeInPool(fd, parts);
    writeHere(writer ?? fd, parts, writer !== undefined && writer !== fd);
  } catch {
    // This is the end of a crash: there is nobody left to tell.
  }
}

/**
 * A descriptor that a stalled reader can't block. A pipe or a terminal is opened anew through /proc, which gives an open file
 * description of its own: O_NONBLOCK on that one is not seen by the workers. A file never stalls. undefined: it can't be
 * opened again (a socket, a pipe of another user, no /proc).
 */
function openUnblocking(fd: number): number | undefined {
  if (fstatSync(fd).isFile()) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

/** By another thread of the pool: should the reader be stalled, that one hangs, and we only wait. */
function writeInPool(fd: number, parts: readonly Uint8Array[]): void {
  write(fd, Buffer.concat(parts), () => {});
  waitMs(settleMs);
}

function writeHere(fd: number, parts: readonly Uint8Array[], isOurs: boolean): void {
  try {
    for (const part of parts) writeAll(fd, part);
  } finally {
    if (isOurs) closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}

function waitMs(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
