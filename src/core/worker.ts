/**
 * A slot and what is in it. Each phase carries exactly what is known in it: there is no worker with a pid that
 * may or may not be there. Times are monotonic milliseconds.
 */
import type { Backoff } from "./backoff.ts";
import type { WorkerId } from "./event.ts";

/** Why a worker is asked to go; the first cause is kept. */
export type StopCause = "shutdown" | "ack timeout" | "late launch";

export type Requested = {
  readonly phase: "requested";
  readonly id: WorkerId;
  readonly requestedAtMs: number;
  readonly deadlineMs: number;
  /** Of the preloader that was asked; undefined for a program. */
  readonly generation: number | undefined;
};

/** Asked for, no longer wanted, and not yet known to be gone: its pid may still be announced. */
export type Abandoned = {
  readonly phase: "abandoned";
  readonly id: WorkerId;
  readonly requestedAtMs: number;
  readonly generation: number | undefined;
  readonly cause: "shutdown" | "late launch";
};

export type Launched = {
  readonly phase: "launched";
  readonly id: WorkerId;
  readonly pid: number;
  readonly launchedAtMs: number;
  readonly ackDeadlineMs: number | undefined;
};

export type Ready = {
  readonly phase: "ready";
  readonly id: WorkerId;
  readonly pid: number;
  readonly launchedAtMs: number;
  readonly readyAtMs: number;
};

export type Stopping = {
  readonly phase: "stopping";
  readonly id: WorkerId;
  readonly pid: number;
  readonly launchedAtMs: number;
  readonly sinceMs: number;
  readonly cause: StopCause;
  /** undefined: KILL has been sent, there is nothing more to do. */
  readonly killAtMs: number | undefined;
};

/** What it takes to signal a worker, and to remember it while it goes. */
export type Stoppable = { readonly id: WorkerId; readonly pid: number; readonly launchedAtMs: number };

export type Worker = Requested | Abandoned | Launched | Ready | Stopping;

/** Nobody there: a launch may begin as soon as the preloader and `max_starting` allow. */
export type Vacant = { readonly phase: "vacant" };
export type BackingOff = { readonly phase: "backingOff"; readonly untilMs: number };

export type Occupant = Vacant | BackingOff | Worker;
export type Slot = { readonly backoff: Backoff; readonly occupant: Occupant };

export const vacant: Vacant = { phase: "vacant" };

export function isWorker(occupant: Occupant): occupant is Worker {
  return occupant.phase !== "vacant" && occupant.phase !== "backingOff";
}

/** Workers on their way: what `max_starting` counts. */
export function isStarting(occupant: Occupant): occupant is Requested | Launched {
  return occupant.phase === "requested" || occupant.phase === "launched";
}

/** Workers that have a pid which has not been reaped: the only ones that may be signalled. */
export function isAlive(occupant: Occupant): occupant is Launched | Ready | Stopping {
  return occupant.phase === "launched" || occupant.phase === "ready" || occupant.phase === "stopping";
}
