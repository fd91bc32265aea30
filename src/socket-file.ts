/** The file of a Unix socket that we have bound: whether it is still ours. */
import { lstatSync } from "node:fs";

export type SocketPlace = "ours" | "gone" | "another's";

export type SocketFile = {
  /** What is at the path now; it may not be looked at (EACCES, a folder that is none any more): gone. */
  look(): SocketPlace;
};

/**
 * To be called when the socket has just been bound. The kernel holds on to the file's inode for as long as the socket is
 * open (unix(7)), so no other file can have its number meanwhile.
 */
export function rememberSocketFile(path: string): SocketFile {
  const ours = lstatOrNone(path);
  return {
    look() {
      const there = lstatOrNone(path);
      if (there === undefined) return "gone";
      return there.dev === ours?.dev && there.ino === ours.ino ? "ours" : "another's";
    },
  };
}

function lstatOrNone(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
