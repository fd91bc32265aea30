/** Everything that the supervisor knows, as one immutable value. */
import { type Backoff, noBackoff } from "./backoff.ts";
import type { Shortage, WorkerId } from "./event.ts";
import { type RandomState, seedRandom } from "./random.ts";
import type { DeathHistory } from "./restart-intensity.ts";
import { isStarting, isWorker, type Occupant, type Slot, vacant, type Worker } from "./worker.ts";

export type RestartLimits = {
  /** More deaths than this within `periodMs` fault the set. */
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
};

/** What the core has to know of a worker set; how it is launched is the shells' business. */
export type SetLimits = {
  readonly name: string;
  readonly count: number;
  readonly minReady: number;
  /** Place of its preloader in the fleet; undefined for a program. */
  readonly preloader: number | undefined;
  readonly needsAck: boolean;
  readonly ackTimeoutMs: number | undefined;
  readonly launchTimeoutMs: number;
  readonly maxStarting: number | undefined;
  readonly stopSignal: string;
  readonly stopTimeoutMs: number;
  readonly restart: RestartLimits;
};

export type PreloaderLimits = {
  readonly loadTimeoutMs: number;
  /** From TERM to KILL. */
  readonly stopTimeoutMs: number;
  readonly restart: RestartLimits;
};

export type FleetLimits = {
  readonly name: string;
  readonly sets: readonly SetLimits[];
  readonly preloaders: readonly PreloaderLimits[];
  readonly shutdownTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly onFault: "stay" | "exit";
};

export type WorkerSet = {
  readonly limits: SetLimits;
  readonly slots: readonly Slot[];
  readonly deaths: DeathHistory;
  /** As it was last reported, so that each change is one event. Never `starting` again once it has run. */
  readonly reported: "starting" | "running" | "underprovisioned";
  readonly isFaulted: boolean;
  readonly lastDeath: { readonly cause: string; readonly atMs: number } | undefined;
  /** What the machine lacked for the last launch; undefined when that succeeded, or failed for another reason. */
  readonly shortage: Shortage | undefined;
};

export type PreloaderProcess =
  /** Backing off, or not started yet. */
  | { readonly phase: "waiting"; readonly untilMs: number }
  | { readonly phase: "requested"; readonly requestedAtMs: number }
  | {
      readonly phase: "loading";
      readonly pid: number;
      readonly launchedAtMs: number;
      readonly deadlineMs: number;
    }
  | { readonly phase: "ready"; readonly pid: number; readonly launchedAtMs: number }
  | {
      readonly phase: "stopping";
      readonly pid: number;
      readonly launchedAtMs: number;
      readonly cause: string;
      readonly killAtMs: number | undefined;
    }
  /** It can't be signalled any more: its pid may be anybody's. Whether it launched what it was asked for is still to be read. */
  | {
      readonly phase: "gone";
      readonly pid: number;
      readonly launchedAtMs: number;
      readonly was: "loading" | "ready" | "stopping";
      /** Why it was asked to go, if it was. */
      readonly cause: string | undefined;
      /** It had got its KILL. */
      readonly isKilled: boolean;
    }
  /** None there and none wanted: a stop, or all its sets are faulted. */
  | { readonly phase: "retired" };

export type Preloader = {
  readonly limits: PreloaderLimits;
  readonly generation: number;
  readonly process: PreloaderProcess;
  readonly deaths: DeathHistory;
  readonly backoff: Backoff;
  readonly shortage: Shortage | undefined;
};

/** Members of the group of a worker or preloader that has exited: they got TERM and get KILL at `killAtMs`. */
export type Stray = { readonly pgid: number; readonly killAtMs: number };

type Stop = {
  readonly exitCode: number;
  readonly sinceMs: number;
  /** Graceful until then. */
  readonly deadlineMs: number;
  /** TERM and INT so far: a stop because of a fault begins with none. */
  readonly stopSignals: number;
  /** Workers and preloaders that had to be killed. */
  readonly killed: number;
};

export type FleetPhase =
  | { readonly kind: "idle" }
  | { readonly kind: "serving" }
  | ({ readonly kind: "draining"; readonly untilMs: number } & Stop)
  | ({ readonly kind: "stoppingWorkers" } & Stop)
  | ({ readonly kind: "stoppingPreloaders" } & Stop)
  | ({ readonly kind: "sweepingOrphans" } & Stop)
  | ({ readonly kind: "killing"; readonly giveUpAtMs: number; readonly areChildrenGone: boolean } & Stop)
  | ({ readonly kind: "stopped" } & Stop);

export type StopPhase = Exclude<FleetPhase, { kind: "idle" | "serving" }>;

export type Fleet = {
  readonly limits: FleetLimits;
  readonly phase: FleetPhase;
  readonly sets: readonly WorkerSet[];
  readonly preloaders: readonly Preloader[];
  readonly strays: readonly Stray[];
  /** Unique to this supervisor's life, so that an id of an earlier one is never taken for one of ours. */
  readonly idPrefix: string;
  readonly launches: number;
  readonly random: RandomState;
};

export function createFleet(limits: FleetLimits, idPrefix: string, seed: number): Fleet {
  return {
    limits,
    phase: { kind: "idle" },
    sets: limits.sets.map(createWorkerSet),
    preloaders: limits.preloaders.map(createPreloader),
    strays: [],
    idPrefix,
    launches: 0,
    random: seedRandom(seed),
  };
}

function createWorkerSet(limits: SetLimits): WorkerSet {
  const slots = Array.from({ length: limits.count }, () => ({ backoff: noBackoff, occupant: vacant }));
  return {
    limits,
    slots,
    deaths: [],
    reported: "starting",
    isFaulted: false,
    lastDeath: undefined,
    shortage: undefined,
  };
}

function createPreloader(limits: PreloaderLimits): Preloader {
  const process = { phase: "waiting", untilMs: Number.NEGATIVE_INFINITY } as const;
  return { limits, generation: 0, process, deaths: [], backoff: noBackoff, shortage: undefined };
}

export type WorkerPlace = { readonly set: number; readonly slot: number; readonly worker: Worker };

export function* eachWorker(fleet: Fleet): Generator<WorkerPlace> {
  for (const [set, { slots }] of fleet.sets.entries()) {
    for (const [slot, { occupant }] of slots.entries()) {
      if (isWorker(occupant)) yield { set, slot, worker: occupant };
    }
  }
}

export function findWorker(fleet: Fleet, id: WorkerId): WorkerPlace | undefined {
  for (const place of eachWorker(fleet)) if (place.worker.id === id) return place;
  return undefined;
}

export function workerIdOf(fleet: Fleet, launch: number): WorkerId {
  return `${fleet.idPrefix}-${launch}`;
}

/** True for the id of every worker that was ever asked for in this supervisor's life. */
export function wasIssued(fleet: Fleet, id: WorkerId): boolean {
  const launch = Number(id.slice(fleet.idPrefix.length + 1));
  return launch >= 1 && launch <= fleet.launches && id === workerIdOf(fleet, launch);
}

/** Whether somebody has been launched, or asked for, who will ack or say `ready`. */
export function isAckAwaited({ sets, preloaders }: Fleet): boolean {
  if (preloaders.some(({ process }) => process.phase === "requested" || process.phase === "loading"))
    return true;
  return sets.some((set) => set.limits.needsAck && countOccupants(set, isStarting) > 0);
}

export function countReady(set: WorkerSet): number {
  return countOccupants(set, (occupant) => occupant.phase === "ready");
}

export function countOccupants(set: WorkerSet, matches: (occupant: Occupant) => boolean): number {
  let count = 0;
  for (const slot of set.slots) if (matches(slot.occupant)) count += 1;
  return count;
}

export function isStop(phase: FleetPhase): phase is StopPhase {
  return phase.kind !== "idle" && phase.kind !== "serving";
}
