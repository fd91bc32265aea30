/** What is true of a worker and of a preloader, and what the supervisor has been told of it. */
import type { PreloaderRef } from "../../src/core/event.ts";
import type { Group, Process } from "./kernel/process.ts";

export type WorkerFact = {
  readonly id: string;
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
  askedAtMs: number | undefined;
  killedAtMs: number | undefined;
};

/** Whom the supervisor means when it signals a group: its leader, which may be gone, and the group as it was. */
export type KnownGroup = { readonly group: Group; readonly leader: WorkerFact | PreloaderFact };

export function newWorker(
  asked: Pick<WorkerFact, "id" | "set" | "slot" | "servant" | "requestedAtMs">,
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
    askedAtMs: undefined,
    killedAtMs: undefined,
  };
}
