/** Filling empty slots and starting preloaders; called after every event. */
import { countOccupants, type WorkerSet, workerIdOf } from "./fleet.ts";
import { changePreloader, changeSlot, occupy, request, setAt, slotAt, type Turn } from "./turn.ts";
import { isStarting, vacant } from "./worker.ts";

/** The preloader gives up a fork somewhat earlier than we give up the preloader, so that it can say what hung. */
const preloaderShare = 0.8;

export function startPreloaders(turn: Turn): void {
  if (turn.fleet.phase.kind !== "serving") return;
  for (const [index, { process, generation }] of turn.fleet.preloaders.entries()) {
    if (process.phase !== "waiting" || process.untilMs > turn.nowMs) continue;
    const next = generation + 1;
    const requested = { phase: "requested", requestedAtMs: turn.nowMs } as const;
    changePreloader(turn, index, { generation: next, process: requested });
    request(turn, { type: "startPreloader", preloader: index, generation: next });
  }
}

export function fillSlots(turn: Turn): void {
  if (turn.fleet.phase.kind !== "serving") return;
  for (const [index, set] of turn.fleet.sets.entries()) {
    if (set.isFaulted) continue;
    endBackoffs(turn, index, set);
    if (canLaunch(turn, set)) fillSet(turn, index);
  }
}

function endBackoffs(turn: Turn, index: number, set: WorkerSet): void {
  for (const [slot, { occupant }] of set.slots.entries()) {
    if (occupant.phase === "backingOff" && occupant.untilMs <= turn.nowMs) occupy(turn, index, slot, vacant);
  }
}

function canLaunch(turn: Turn, { limits }: WorkerSet): boolean {
  if (limits.preloader === undefined) return true;
  return turn.fleet.preloaders[limits.preloader]?.process.phase === "ready";
}

function fillSet(turn: Turn, index: number): void {
  const set = setAt(turn.fleet, index);
  const limit = set.limits.maxStarting ?? Number.POSITIVE_INFINITY;
  let starting = countOccupants(set, isStarting);
  for (const slot of set.slots.keys()) {
    if (starting >= limit) return;
    if (slotAt(setAt(turn.fleet, index), slot).occupant.phase !== "vacant") continue;
    requestWorker(turn, index, slot);
    starting += 1;
  }
}

function requestWorker(turn: Turn, set: number, slot: number): void {
  const { limits } = setAt(turn.fleet, set);
  const launches = turn.fleet.launches + 1;
  turn.fleet = { ...turn.fleet, launches };
  const id = workerIdOf(turn.fleet, launches);
  const { preloader, launchTimeoutMs } = limits;
  const generation = preloader === undefined ? undefined : turn.fleet.preloaders[preloader]?.generation;
  const deadlineMs = turn.nowMs + launchTimeoutMs;
  changeSlot(turn, set, slot, {
    occupant: { phase: "requested", id, requestedAtMs: turn.nowMs, deadlineMs, generation },
  });
  if (preloader === undefined || generation === undefined) {
    return request(turn, { type: "executeWorker", id, set, slot });
  }
  const timeoutMs = Math.max(1, Math.round(launchTimeoutMs * preloaderShare));
  request(turn, { type: "spawnWorker", id, set, slot, preloader, generation, timeoutMs });
}
