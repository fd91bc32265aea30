import type { ExitStatus } from "../core/exit-status.ts";
import { type Answer, waitid } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const anyChild = 0; // P_ALL
const oneChild = 1; // P_PID
const noHang = 1; // WNOHANG
const exited = 4; // WEXITED
const leaveIt = 0x01000000; // WNOWAIT
const codeExited = 1; // CLD_EXITED; CLD_KILLED and CLD_DUMPED are the others that WEXITED can bring

export type Peeked =
  | { readonly kind: "exited"; readonly pid: number; readonly exit: ExitStatus }
  /** There are children, and none has exited. */
  | { readonly kind: "none" }
  | { readonly kind: "no-children" };

/** waitid(2), without ever blocking. */
export type Waiter = {
  /** The first child in the kernel's list that has exited; it stays a zombie, and so keeps its pid. */
  peekAny(): Peeked;
  /** The same of one child. */
  peekPid(pid: number): ExitStatus | "running" | "not-a-child";
  /** Takes the exit of one child; afterwards the pid may be anybody's. */
  reapPid(pid: number): ExitStatus | "running" | "not-a-child";
};

export const systemWaiter: Waiter = {
  peekAny() {
    const found = wait(anyChild, 0, leaveIt);
    if (found === "running") return { kind: "none" };
    return found === "not-a-child" ? { kind: "no-children" } : { kind: "exited", ...found };
  },
  peekPid(pid) {
    return exitOf(wait(oneChild, pid, leaveIt));
  },
  reapPid(pid) {
    return exitOf(wait(oneChild, pid, 0));
  },
};

type Found = { readonly pid: number; readonly exit: ExitStatus };

function exitOf(found: Found | "running" | "not-a-child"): ExitStatus | "running" | "not-a-child" {
  return typeof found === "string" ? found : found.exit;
}

function wait(idType: number, id: number, extra: number): Found | "running" | "not-a-child" {
  const information = new Uint8Array(128);
  let result: Answer;
  do result = waitid(idType, id, information, exited | noHang | extra);
  while (!result.ok && result.code === "EINTR");
  if (!result.ok) {
    if (result.code === "ECHILD") return "not-a-child";
    throw new OperatingSystemError(result.code, "waitid", "no exit of a child can be seen");
  }
  return readInformation(new DataView(information.buffer));
}

/** `siginfo_t` on 64-bit Linux: si_code at byte 8, si_pid at 16, si_status at 24. A pid of 0: nobody has exited. */
function readInformation(information: DataView): Found | "running" {
  const pid = information.getInt32(16, true);
  if (pid === 0) return "running";
  const status = information.getInt32(24, true);
  const bySignal = information.getInt32(8, true) !== codeExited;
  return { pid, exit: bySignal ? { kind: "signaled", signal: status } : { kind: "exited", code: status } };
}
