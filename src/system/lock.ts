import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { errorCode } from "../error-code.ts";
import { flock } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const exclusive = 2; // LOCK_EX
const dontWait = 4; // LOCK_NB

export type Lock = {
  readonly path: string;
  /** Why our pid could not be written into the file (`ENOSPC`…); the lock is held all the same. */
  readonly pidNotWritten: string | undefined;
  /** False when somebody (a cleaner of /tmp) has removed the file: the lock is held, and keeps nobody out any more. */
  isInPlace(): boolean;
  release(): void;
};

/** Another process holds the lock (exit status 69). `holder` is undefined when it hasn't written its pid. */
export class LockTakenError extends Error {
  override readonly name = "LockTakenError";
  readonly path: string;
  readonly holder: number | undefined;

  constructor(path: string, holder: number | undefined) {
    super(`${path} is locked by ${holder === undefined ? "another process" : `process ${holder}`}`);
    this.path = path;
    this.holder = holder;
  }
}

/**
 * Takes the lock of `path` without waiting, for as long as this process lives: flock(2) belongs to the open file, so
 * the kernel gives it back however we end, and no pid in a file left behind by the dead can be mistaken for a lock.
 *
 * The file stays when the lock is released. Whoever removed it could remove it from under a process that has just
 * opened it: that one then holds a lock that nobody else can see, while the next creates a new file and locks that.
 *
 * Throws `LockTakenError`, or an `OperatingSystemError` when the file can't be opened (`EACCES`, `EROFS`, `ENOSPC`,
 * `ENOENT` for the folder, `ELOOP` for a symbolic link, which is not followed).
 */
export function acquireLock(path: string): Lock {
  for (;;) {
    const descriptor = openLockFile(path);
    try {
      takeLock(descriptor, path);
      if (isStillAt(descriptor, path)) return holdLock(descriptor, path);
      closeSync(descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }
}

/**
 * First without O_CREAT: in a sticky folder such as /tmp the kernel refuses to "create" an existing file of another
 * user even to root (sysctl fs.protected_regular), while opening it is allowed.
 */
function openLockFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW;
  for (;;) {
    try {
      return openSync(path, flags);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw lockFileError(error, path);
    }
    try {
      return openSync(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw lockFileError(error, path);
    }
  }
}

function lockFileError(cause: unknown, path: string): OperatingSystemError {
  const code = errorCode(cause) ?? "EIO";
  const hint = code === "ELOOP" ? " is a symbolic link" : "";
  return new OperatingSystemError(code, "open", `lock file ${path}${hint}`, { cause });
}

function takeLock(descriptor: number, path: string): void {
  const status = fstatSync(descriptor);
  // A hard link would make us write our pid into whatever file somebody else chose.
  if (!status.isFile() || status.nlink > 1) {
    throw new OperatingSystemError("EINVAL", "open", `lock file ${path} is not a plain file of its own`);
  }
  const answer = flock(descriptor, exclusive | dontWait);
  if (answer.ok) return;
  if (answer.code === "EAGAIN") throw new LockTakenError(path, readHolder(descriptor));
  throw new OperatingSystemError(answer.code, "flock", `lock file ${path}`);
}

/** Somebody else (a cleaner of /tmp) may have removed the file between open and flock; then it locks nobody out. */
function isStillAt(descriptor: number, path: string): boolean {
  const ours = fstatSync(descriptor);
  const there = statSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

function readHolder(descriptor: number): number | undefined {
  const buffer = Buffer.alloc(32);
  const text = buffer.toString("latin1", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  return /^[1-9][0-9]*\n$/.test(text) ? Number(text) : undefined;
}

function holdLock(descriptor: number, path: string): Lock {
  let held = true;
  return {
    path,
    pidNotWritten: writePid(descriptor),
    isInPlace: () => isStillAt(descriptor, path),
    release() {
      if (held) closeSync(descriptor);
      held = false;
    },
  };
}

/** The pid is only there for people to read: a full disk must not keep a service from starting. */
function writePid(descriptor: number): string | undefined {
  const text = Buffer.from(`${process.pid}\n`);
  try {
    // Written first, cut second: overwriting takes no new block where the file had one.
    writeSync(descriptor, text, 0, text.length, 0);
    ftruncateSync(descriptor, text.length);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && ["ENOSPC", "EDQUOT", "EFBIG", "EIO"].includes(code)) return code;
    throw error;
  }
}
