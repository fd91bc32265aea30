import { fcntl } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const setFlags = 2; // F_SETFD
const closeOnExec = 1; // FD_CLOEXEC

/** Says whether an exec closes the descriptor. @returns false when there is no such descriptor. */
export function setCloseOnExec(descriptor: number, wanted: boolean): boolean {
  const answer = fcntl(descriptor, setFlags, wanted ? closeOnExec : 0);
  if (!answer.ok && answer.code !== "EBADF")
    throw new OperatingSystemError(answer.code, "fcntl(F_SETFD)", "");
  return answer.ok;
}
