import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

/** How long a write that a pool thread has begun may take to come to its end before a crash writes on behind it. */
const settleMs = 50;

/**
 * Writes the parts in order, in this thread, and gives up at the first error: a full disk, a reader that is gone or that
 * doesn't read. `isBusy` says that a pool thread is in write(2) on the same descriptor.
 */
export function writeUnlessStalled(fd: number, parts: readonly Uint8Array[], isBusy: boolean): void {
  if (isBusy) waitMs(settleMs);
  try {
    const writer = openUnblocking(fd, isBusy);
    if (writer === undefined) return;
    try {
      for (const part of parts) writeAll(writer, part);
    } finally {
      if (writer !== fd) closeSync(writer);
    }
  } catch {
    // This is the end of a crash: there is nobody left to tell.
  }
}

/**
 * A descriptor that a stalled reader can't block. A pipe or a terminal is opened anew through /proc, which gives an open file
 * description of its own: O_NONBLOCK on that one is not seen by the workers. A file never stalls. What can't be opened
 * again (a socket, a pipe of another user, no /proc) is used as it is, unless a write on it is stalled already.
 */
function openUnblocking(fd: number, isBusy: boolean): number | undefined {
  const stat = fstatSync(fd);
  if (stat.isFile()) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return isBusy ? undefined : fd;
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}

function waitMs(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
