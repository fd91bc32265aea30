/** What is true of a worker and of a preloader, and what the supervisor has been told of it. */
import type { PreloaderRef } from "../../src/core/event.ts";
import type { Group, Process } from "./kernel/process.ts";

export type WorkerFact = {
  readonly id: string;
  /** The how-manieth of its slot it is: a name that does not depend on what happened elsewhere. */
  readonly name: string;
  readonly set: number;
  readonly slot: number;
  /** undefined: a program. */
  readonly servant: PreloaderRef | undefined;
  readonly requestedAtMs: number;
  /** Once it has been forked. */
  process: Process | undefined;
  /** The line that announces it has been written to the end: from then on it is a worker, whatever happens. */
  isWritten: boolean;
  /** The rest is what the supervisor has been told, in the order in which it decides. */
  isAnnounced: boolean;
  pid: number;
  launchedAtMs: number;
  isAcked: boolean;
  isAbandoned: boolean;
  /** Its ack has not come in time: it has to be asked to go. */
  isOverdue: boolean;
  askedAtMs: number | undefined;
  killedAtMs: number | undefined;
  isBuried: boolean;
};

export type PreloaderFact = {
  readonly ref: PreloaderRef;
  process: Process | undefined;
  isAnnounced: boolean;
  launchedAtMs: number;
  isReady: boolean;
  /** A launch took too long. */
  isLate: boolean;
  /** The supervisor knows that the process is gone, and still reads what it wrote. */
  isGone: boolean;
  /** There is a reason for it to go, other than a stop. */
  mayBeAsked: boolean;
  /** It has said hello after it was asked to go: it may have lost that, and is to be asked once more. */
  mayBeAskedAgain: boolean;
  askedAtMs: number | undefined;
  killedAtMs: number | undefined;
};

/** Whom the supervisor means when it signals a group: its leader, which may be gone, and the group as it was. */
export type KnownGroup = {
  readonly group: Group;
  readonly leader: WorkerFact | PreloaderFact;
  /** By then nobody is left in the group, once its leader is gone. */
  emptyByMs: number;
};

export function newWorker(
  asked: Pick<WorkerFact, "id" | "name" | "set" | "slot" | "servant" | "requestedAtMs">,
): WorkerFact {
  return {
    ...asked,
    process: undefined,
    isWritten: false,
    isAnnounced: false,
    pid: 0,
    launchedAtMs: 0,
    isAcked: false,
    isAbandoned: false,
    isOverdue: false,
    askedAtMs: undefined,
    killedAtMs: undefined,
    isBuried: false,
  };
}

export function newPreloader(ref: PreloaderRef): PreloaderFact {
  return {
    ref,
    process: undefined,
    isAnnounced: false,
    launchedAtMs: 0,
    isReady: false,
    isLate: false,
    isGone: false,
    mayBeAsked: false,
    mayBeAskedAgain: false,
    askedAtMs: undefined,
    killedAtMs: undefined,
  };
}
