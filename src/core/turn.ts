/**
 * One transition under way: the fleet as it is so far, and the effects that have been asked for. The fleets
 * themselves are immutable; only this holder changes, and it lives no longer than one call of `transition`.
 */
import type { Effect } from "./effect.ts";
import type { Fleet, Preloader, WorkerSet } from "./fleet.ts";
import type { Fields, Level } from "./log-event.ts";
import { nextRandom } from "./random.ts";
import type { Occupant, Slot } from "./worker.ts";

export type Turn = { fleet: Fleet; readonly effects: Effect[]; readonly nowMs: number };

export function request(turn: Turn, effect: Effect): void {
  turn.effects.push(effect);
}

export function report(turn: Turn, level: Level, message: string, fields: Fields): void {
  turn.effects.push({ type: "log", event: { level, message, fields } });
}

export function setAt(fleet: Fleet, index: number): WorkerSet {
  return present(fleet.sets[index], "worker set", index);
}

export function preloaderAt(fleet: Fleet, index: number): Preloader {
  return present(fleet.preloaders[index], "preloader", index);
}

export function slotAt(set: WorkerSet, index: number): Slot {
  return present(set.slots[index], "slot", index);
}

/** An index that we made ourselves and that is out of range is our mistake: crash. */
function present<T>(value: T | undefined, what: string, index: number): T {
  if (value === undefined) throw new Error(`there is no ${what} ${index}`);
  return value;
}

export function changeSet(turn: Turn, index: number, change: Partial<WorkerSet>): void {
  const sets = turn.fleet.sets.map((set, at) => (at === index ? { ...set, ...change } : set));
  turn.fleet = { ...turn.fleet, sets };
}

export function changePreloader(turn: Turn, index: number, change: Partial<Preloader>): void {
  const preloaders = turn.fleet.preloaders.map((p, at) => (at === index ? { ...p, ...change } : p));
  turn.fleet = { ...turn.fleet, preloaders };
}

export function changeSlot(turn: Turn, set: number, slot: number, change: Partial<Slot>): void {
  const before = setAt(turn.fleet, set);
  const slots = before.slots.with(slot, { ...slotAt(before, slot), ...change });
  changeSet(turn, set, { slots });
}

export function occupy(turn: Turn, set: number, slot: number, occupant: Occupant): void {
  changeSlot(turn, set, slot, { occupant });
}

/** In [0, 1); moves the fleet's generator on. */
export function drawRandom(turn: Turn): number {
  const { value, state } = nextRandom(turn.fleet.random);
  turn.fleet = { ...turn.fleet, random: state };
  return value;
}

/** What names a worker in every log event. */
export function workerFields(fleet: Fleet, set: number, slot: number, id: string, pid?: number): Fields {
  return { set: setAt(fleet, set).limits.name, slot, worker: id, pid };
}

/** Whole milliseconds for the log. */
export function elapsedMs(turn: Turn, sinceMs: number): number {
  return Math.round(turn.nowMs - sinceMs);
}
