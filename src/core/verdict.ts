/** What the fleet's state means to an orchestrator: the table of specification section 8. */
import type { Shortage } from "./event.ts";
import { countReady, type Fleet, isStop, type WorkerSet } from "./fleet.ts";
import type { SetHealth, SetState, Verdict, WorkerHealth } from "./health.ts";
import { deathsWithin } from "./restart-intensity.ts";
import type { Occupant } from "./worker.ts";

/** @param nowMs monotonic, as given to `transition`. */
export function judge(fleet: Fleet, nowMs: number): Verdict {
  const sets = fleet.sets.map((set) => judgeSet(fleet, set, nowMs));
  return {
    overall: sets.every(({ state }) => state === "running"),
    ready: sets.every(isReady),
    live: sets.every(({ state }) => state !== "faulted"),
    name: fleet.limits.name,
    sets,
  };
}

function isReady({ state, ready, minReady }: SetHealth): boolean {
  return state === "running" || (state === "underprovisioned" && ready >= minReady);
}

function judgeSet(fleet: Fleet, set: WorkerSet, nowMs: number): SetHealth {
  const { limits, lastDeath } = set;
  return {
    name: limits.name,
    state: stateOf(fleet, set),
    ready: countReady(set),
    count: limits.count,
    minReady: limits.minReady,
    deaths: deathsWithin(set.deaths, nowMs, limits.restart.periodMs).length,
    lastDeath: lastDeath && { cause: lastDeath.cause, agoMs: Math.round(nowMs - lastDeath.atMs) },
    detail: describePreloader(fleet, set) ?? describeShortage(set.shortage),
    workers: set.slots.map(({ occupant }, slot) => describeOccupant(occupant, slot, nowMs)),
  };
}

function stateOf(fleet: Fleet, set: WorkerSet): SetState {
  if (fleet.phase.kind === "stopped") return "stopped";
  if (isStop(fleet.phase)) return "draining";
  if (set.isFaulted) return "faulted";
  if (countReady(set) === set.limits.count) return "running";
  if (set.reported !== "starting") return "underprovisioned";
  const { preloader } = set.limits;
  const isLoaded = preloader === undefined || fleet.preloaders[preloader]?.process.phase === "ready";
  return isLoaded ? "starting" : "loading";
}

function describeShortage(shortage: Shortage | undefined): string | undefined {
  return shortage === undefined ? undefined : `launches are put off: ${shortage}`;
}

function describePreloader(fleet: Fleet, { limits }: WorkerSet): string | undefined {
  if (limits.preloader === undefined) return undefined;
  const preloader = fleet.preloaders[limits.preloader];
  if (preloader === undefined || preloader.process.phase === "ready") return undefined;
  const { generation, process } = preloader;
  switch (process.phase) {
    case "waiting":
      return generation === 0
        ? "preloader not started yet"
        : (describeShortage(preloader.shortage) ?? `preloader backing off after generation ${generation}`);
    case "requested":
    case "loading":
      return `preloader loading generation ${generation}`;
    case "stopping":
    case "gone":
      return `preloader stopping generation ${generation}`;
    case "retired":
      return "no preloader";
  }
}

function describeOccupant(occupant: Occupant, slot: number, nowMs: number): WorkerHealth {
  switch (occupant.phase) {
    case "vacant":
    case "backingOff":
      return { slot, id: "", phase: "waiting", pid: undefined, ageMs: 0 };
    case "requested":
    case "abandoned": {
      const ageMs = Math.round(nowMs - occupant.requestedAtMs);
      return { slot, id: occupant.id, phase: "requested", pid: undefined, ageMs };
    }
    case "launched":
    case "ready":
    case "stopping": {
      const { id, pid, phase, launchedAtMs } = occupant;
      return { slot, id, phase, pid, ageMs: Math.round(nowMs - launchedAtMs) };
    }
  }
}
