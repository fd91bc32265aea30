import { type Answer, fcntl } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const getFlags = 1; // F_GETFD
const setFlags = 2; // F_SETFD
const closeOnExec = 1; // FD_CLOEXEC

export function isOpen(descriptor: number): boolean {
  return succeeded(fcntl(descriptor, getFlags, 0), "fcntl(F_GETFD)");
}

/** Whether an exec closes the descriptor; false when there is no such descriptor. */
export function setCloseOnExec(descriptor: number, wanted: boolean): boolean {
  return succeeded(fcntl(descriptor, setFlags, wanted ? closeOnExec : 0), "fcntl(F_SETFD)");
}

function succeeded(answer: Answer, syscall: string): boolean {
  if (!answer.ok && answer.code !== "EBADF") throw new OperatingSystemError(answer.code, syscall, "");
  return answer.ok;
}
