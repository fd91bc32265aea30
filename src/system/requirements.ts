import { closeSync } from "node:fs";
import { syscall } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";
import { systemWaiter } from "./wait.ts";

const pidfdOpen = 434; // the same number on every architecture (Linux 5.3)

/** What has to be known of the machine; a parameter so that a test can be another machine. */
export type Machine = {
  readonly platform: string;
  openPidfd(pid: number): string | undefined;
  /** Throws an `OperatingSystemError` where waitid(2) is denied. */
  waitForChildren(): void;
};

const thisMachine: Machine = {
  platform: process.platform,
  openPidfd,
  waitForChildren: () => void systemWaiter.peekAny(),
};

/**
 * Refuses, with an `OperatingSystemError` (exit status 71), a machine on which kleinhirn would run but lose exits.
 *
 * Bun waits for its children through pidfds. Where they are denied (an old kernel, gVisor, a seccomp profile from
 * before 2019) it falls back to a waiter of its own on SIGCHLD, and the two of us would take each other's exits.
 */
export function checkRequirements(machine: Machine = thisMachine): void {
  if (machine.platform !== "linux") {
    throw new OperatingSystemError(
      "ENOTSUP",
      "uname",
      `kleinhirn runs on Linux only, this is ${machine.platform}`,
    );
  }
  machine.waitForChildren();
  const code = machine.openPidfd(process.pid);
  if (code === undefined) return;
  const remedy = "kleinhirn needs Linux 5.3 or newer, and a sandbox (seccomp profile, gVisor) that allows it";
  throw new OperatingSystemError(code, "pidfd_open", remedy);
}

/** The name of the error, or undefined when it works. */
function openPidfd(pid: number): string | undefined {
  const opened = syscall(pidfdOpen, pid, 0, 0);
  if (!opened.ok) return opened.code;
  closeSync(opened.value);
  return undefined;
}
