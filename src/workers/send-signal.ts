/** Signals to our own processes, with what the kernel may answer. */
import type { Signal } from "../core/effect.ts";
import { signalNumber } from "../core/exit-status.ts";
import type { LogEvent } from "../core/log-event.ts";
import { type Signaled, signalGroup, signalProcess } from "../system/process-signals.ts";

type Log = (event: LogEvent) => void;

/** A process that is gone (ESRCH) is no error: its exit is on its way. */
export function sendToProcess(pid: number, signal: Signal, log: Log): void {
  if (signalProcess(pid, numberOf(signal)) === "refused") reportRefusal(log, { pid, signal });
}

/** A group in which we may signal nobody (EPERM) is as good as gone for us: there is nothing more that we can do. */
export function sendToGroup(pgid: number, signal: Signal, log: Log): "sent" | "gone" {
  const answer: Signaled = signalGroup(pgid, numberOf(signal));
  if (answer === "refused") reportRefusal(log, { pgid, signal });
  return answer === "sent" ? "sent" : "gone";
}

/**
 * Whether somebody is left in the group that a worker or preloader leads or has led.
 *
 * @param isOurs whether this is the pid of a worker or preloader that is not reaped yet.
 */
export function isGroupThere(pgid: number, isOurs: (pid: number) => boolean): boolean {
  return (
    !isTakenOver(pgid, isOurs, (pid) => signalProcess(pid, 0) !== "gone") && signalGroup(pgid, 0) !== "gone"
  );
}

/**
 * Whether the number is another group's by now. Linux gives no process the number of a group that still has members: so
 * where there is a process of that number, and it is none of ours, the group that one of ours has led is gone.
 */
export function isTakenOver(
  pgid: number,
  isOurs: (pid: number) => boolean,
  isThere: (pid: number) => boolean,
): boolean {
  return !isOurs(pgid) && isThere(pgid);
}

/** What a preloader that has exited left in its group: whether there is anything is not of interest. */
export function killQuietly(pgid: number): void {
  signalGroup(pgid, numberOf("SIGKILL"));
}

function numberOf(signal: Signal): number {
  const number = signalNumber(signal);
  if (number === undefined) throw new Error(`there is no signal ${signal}`);
  return number;
}

function reportRefusal(log: Log, fields: LogEvent["fields"]): void {
  log({ level: "error", message: "may not signal this process (EPERM): it runs as another user", fields });
}
