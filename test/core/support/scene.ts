/** A fleet that is led through events by hand: the state, the time, and what the last event asked for. */
import type { Effect } from "../../../src/core/effect.ts";
import type { Event } from "../../../src/core/event.ts";
import { createFleet, type Fleet, type FleetLimits, workerIdOf } from "../../../src/core/fleet.ts";
import type { SetHealth } from "../../../src/core/health.ts";
import { transition } from "../../../src/core/transition.ts";
import { judge } from "../../../src/core/verdict.ts";
import type { Occupant } from "../../../src/core/worker.ts";

export type Scene = {
  readonly fleet: Fleet;
  readonly nowMs: number;
  /** Of the last event only. */
  readonly effects: readonly Effect[];
};

/** Not zero, so that a time that was forgotten shows. */
export const beginMs = 1000;

export function idleScene(limits: FleetLimits): Scene {
  return { fleet: createFleet(limits, "w", 7), nowMs: beginMs, effects: [] };
}

export function startedScene(limits: FleetLimits): Scene {
  return post(idleScene(limits), { type: "started" });
}

export function post({ fleet, nowMs }: Scene, event: Event): Scene {
  const { state, effects } = transition(fleet, event, nowMs);
  return { fleet: state, nowMs, effects };
}

export function play(scene: Scene, ...events: readonly Event[]): Scene {
  return events.reduce(post, scene);
}

/** Lets time pass and says that a deadline has come: what is due happens. */
export function wait(scene: Scene, ms: number): Scene {
  return post({ ...scene, nowMs: scene.nowMs + ms }, { type: "deadlineReached" });
}

/** Nothing is left of the groups of those that have exited: what the kernel says when they get their TERM. */
export function sweep(scene: Scene): Scene {
  const gone = scene.fleet.strays.map(({ pgid }) => ({ type: "groupGone", pgid }) as const);
  return play(scene, ...gone);
}

/** @param launch counts from 1, over all sets. */
export function id(launch: number): string {
  return `w-${launch}`;
}

/** The worker that was asked for last. */
export function newest({ fleet }: Scene): string {
  return workerIdOf(fleet, fleet.launches);
}

export function launched(launch: number, pid = 200 + launch): Event {
  return { type: "workerLaunched", id: id(launch), pid };
}

export function launchFailed(launch: number): Event {
  return { type: "workerLaunchFailed", id: id(launch), message: "no more processes" };
}

export function acked(launch: number): Event {
  return { type: "workerAcked", id: id(launch) };
}

export function exited(launch: number, code = 1): Event {
  return { type: "workerExited", id: id(launch), exit: { kind: "exited", code } };
}

export function preloaderLaunched(generation: number, preloader = 0): Event {
  return { type: "preloaderLaunched", preloader, generation, pid: 100 + generation };
}

export function preloaderReady(generation: number, preloader = 0): Event {
  return { type: "preloaderReady", preloader, generation };
}

export function preloaderExited(generation: number, preloader = 0): Event {
  return { type: "preloaderExited", preloader, generation, exit: { kind: "exited", code: 1 } };
}

export const terminate: Event = { type: "stopRequested", signal: "SIGTERM" };
export const quit: Event = { type: "killRequested", signal: "SIGQUIT" };
export const hangUp: Event = { type: "signalReceived", signal: "SIGHUP" };

export function occupantOf({ fleet }: Scene, slot = 0, set = 0): Occupant {
  const occupant = fleet.sets[set]?.slots[slot]?.occupant;
  if (occupant === undefined) throw new Error(`no slot ${slot} in set ${set}`);
  return occupant;
}

export function healthOf({ fleet, nowMs }: Scene, set = 0): SetHealth {
  const health = judge(fleet, nowMs).sets[set];
  if (health === undefined) throw new Error(`no set ${set}`);
  return health;
}

/** Effects of one type, such as `exit`. */
export function effectsOf<T extends Effect["type"]>(scene: Scene, type: T): Extract<Effect, { type: T }>[] {
  return scene.effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
}
