import { type Answer, getpgid, kill } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

/**
 * `gone`: there is nobody of that number (ESRCH). `refused`: somebody is, and we may not signal them (EPERM), as with a
 * worker that changed its user while we are not root.
 */
export type Signaled = "sent" | "gone" | "refused";

/**
 * kill(2) for one process. The pid must be that of a child whose exit has not been reported yet: its zombie keeps the
 * number from being used again. 0, 1 and negative numbers mean groups, everybody or init, never a worker: a
 * `RangeError`, as is our own pid.
 */
export function signalProcess(pid: number, signal: number): Signaled {
  if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid) {
    throw new RangeError(`no process of ours has the pid ${pid}`);
  }
  return judge(kill(pid, signal));
}

/**
 * kill(2) for a process group, which may outlive its leader: `gone` when nobody is left in it. Our own group is refused
 * with a `RangeError`: the supervisor and whoever started it are in it.
 */
export function signalGroup(group: number, signal: number): Signaled {
  if (!Number.isSafeInteger(group) || group <= 1 || group === ownGroup()) {
    throw new RangeError(`no process group of ours has the number ${group}`);
  }
  return judge(kill(-group, signal));
}

function ownGroup(): number {
  const answer = getpgid(0);
  return answer.ok ? answer.value : 0;
}

function judge(answer: Answer): Signaled {
  if (answer.ok) return "sent";
  switch (answer.code) {
    case "ESRCH":
      return "gone";
    case "EPERM":
      return "refused";
    default:
      throw new OperatingSystemError(answer.code, "kill", "");
  }
}
