/** Deaths of workers: what counts, what it leads to, and when the slot is used again (specification section 3). */
import { backOff, putOff } from "./backoff.ts";
import type { Shortage } from "./event.ts";
import type { Fields } from "./log-event.ts";
import { addDeath, isTooMany } from "./restart-intensity.ts";
import {
  changePreloader,
  changeSet,
  changeSlot,
  drawRandom,
  occupy,
  preloaderAt,
  report,
  setAt,
  slotAt,
  type Turn,
} from "./turn.ts";
import { vacant } from "./worker.ts";

/** Counts one death of this slot's worker; faults the set when there were too many. */
export function recordDeath(turn: Turn, set: number, slot: number, cause: string): void {
  const before = setAt(turn.fleet, set);
  const { restart } = before.limits;
  const deaths = addDeath(before.deaths, turn.nowMs, restart.periodMs);
  const backoff = backOff(slotAt(before, slot).backoff, restart, turn.nowMs, drawRandom(turn));
  changeSlot(turn, set, slot, { backoff });
  changeSet(turn, set, { deaths, lastDeath: { cause, atMs: turn.nowMs } });
  if (isTooMany(deaths, restart.intensity)) fault(turn, set, counted(deaths.length, "death"));
}

/**
 * A launch for which the machine lacks something (as `EAGAIN` says) is no death: no worker has failed, and a set that is
 * faulted for it would stay so when the shortage is long over. It is tried again with the slot's delays; the first of
 * them all is worth an error, the others are the same one.
 */
export function putOffLaunch(
  turn: Turn,
  set: number,
  slot: number,
  shortage: Shortage,
  fields: Fields,
): void {
  const before = setAt(turn.fleet, set);
  const isNew = before.shortage !== shortage;
  report(turn, isNew ? "error" : "debug", "worker launch put off", { ...fields, reason: shortage });
  const { restart } = before.limits;
  const backoff = putOff(slotAt(before, slot).backoff, restart, turn.nowMs, drawRandom(turn));
  changeSlot(turn, set, slot, { backoff });
  changeSet(turn, set, { shortage });
}

/** The slot's worker is gone: it may be used again, after the backoff that its deaths have earned. */
export function vacate(turn: Turn, set: number, slot: number): void {
  const { backoff } = slotAt(setAt(turn.fleet, set), slot);
  const untilMs = backoff.retryAtMs;
  occupy(turn, set, slot, untilMs > turn.nowMs ? { phase: "backingOff", untilMs } : vacant);
}

/** `1 death`, `6 deaths`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Final: no more launches; the workers that live go on serving. */
export function fault(turn: Turn, set: number, why: string): void {
  const { isFaulted, limits, lastDeath } = setAt(turn.fleet, set);
  // In a stop nothing is launched anyway, and a set that goes down with its container is no emergency.
  if (isFaulted || turn.fleet.phase.kind !== "serving") return;
  changeSet(turn, set, { isFaulted: true, shortage: undefined });
  const { intensity, periodMs } = limits.restart;
  report(turn, "critical", "worker set faulted", {
    set: limits.name,
    reason: why,
    intensity,
    period_ms: periodMs,
    last_death: lastDeath?.cause,
  });
  if (limits.preloader !== undefined) retireIdlePreloader(turn, limits.preloader);
}

/** A preloader whose sets are all faulted has nothing left to fork: it is not started again. */
function retireIdlePreloader(turn: Turn, index: number): void {
  const { process } = preloaderAt(turn.fleet, index);
  const isWanted = turn.fleet.sets.some((set) => set.limits.preloader === index && !set.isFaulted);
  if (!isWanted && process.phase === "waiting")
    changePreloader(turn, index, { process: { phase: "retired" } });
}
