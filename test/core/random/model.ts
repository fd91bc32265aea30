/**
 * What the specification says must be counted and answered, worked out from the world's facts alone: nothing here
 * looks at the core's state.
 */
import type { Event } from "../../../src/core/event.ts";
import type { FleetLimits } from "../../../src/core/fleet.ts";
import type { SetState } from "../../../src/core/health.ts";
import { delayAfterDeath, KillWatch, type SlotDelay } from "./expectations.ts";
import type { PreloaderFact, WorkerFact, World } from "./world.ts";

export type SetModel = {
  deaths: number[];
  isFaulted: boolean;
  hasRun: boolean;
  /** By slot. */
  delays: (SlotDelay | undefined)[];
};

/** Specification section 8: overall, ready, live; `minReady` stands for "if that many are ready". */
const answers: Record<SetState, { overall: boolean; ready: boolean | "minReady"; live: boolean }> = {
  loading: { overall: false, ready: false, live: true },
  starting: { overall: false, ready: false, live: true },
  running: { overall: true, ready: true, live: true },
  underprovisioned: { overall: false, ready: "minReady", live: true },
  faulted: { overall: false, ready: false, live: false },
  draining: { overall: false, ready: false, live: true },
  stopped: { overall: false, ready: false, live: true },
};

export class Model {
  readonly limits: FleetLimits;
  sets: SetModel[];
  /** Times of the failures of each preloader. */
  failures: number[][];
  isStarted = false;
  stopSinceMs: number | undefined;
  kill = new KillWatch();

  constructor(limits: FleetLimits) {
    this.limits = limits;
    this.sets = limits.sets.map(() => ({ deaths: [], isFaulted: false, hasRun: false, delays: [] }));
    this.failures = limits.preloaders.map(() => []);
  }

  clone(): Model {
    const copy = new Model(this.limits);
    copy.sets = this.sets.map((set) => ({ ...set, deaths: [...set.deaths], delays: [...set.delays] }));
    copy.failures = this.failures.map((times) => [...times]);
    copy.isStarted = this.isStarted;
    copy.stopSinceMs = this.stopSinceMs;
    copy.kill = this.kill.clone();
    return copy;
  }

  /** Before the world takes note of the event. */
  observe(world: World, event: Event, nowMs: number): void {
    this.kill.observe(event, this.limits, this.stopSinceMs, nowMs);
    switch (event.type) {
      case "started":
        this.isStarted = true;
        return;
      case "workerExited":
      case "workerLaunchFailed":
        return this.#countEnd(world, event, nowMs);
      case "preloaderExited":
      case "preloaderLaunchFailed":
        return this.#countPreloader(world, event, nowMs);
      case "deadlineReached":
        for (const fact of inSlotOrder(world)) this.#checkTimes(world, fact, nowMs);
        return;
      case "stopRequested":
      case "killRequested":
        return this.#stop(world, nowMs);
      default:
        return;
    }
  }

  #countEnd(world: World, event: Extract<Event, { id: string }>, nowMs: number): void {
    const fact = world.workers.get(event.id);
    if (fact === undefined || fact.askedAtMs !== undefined || fact.isAbandoned) return;
    // Who has a pid was launched, whatever else is said.
    if (event.type === "workerLaunchFailed" && fact.pid !== undefined) return;
    if (event.type === "workerLaunchFailed" && event.shortage !== undefined) return this.#putOff(fact, nowMs);
    this.#countDeath(fact, nowMs);
  }

  /** A shortage of the machine's is no death, but its slot waits. */
  #putOff({ set, slot }: WorkerFact, nowMs: number): void {
    const model = this.sets[set];
    const restart = this.limits.sets[set]?.restart;
    if (model === undefined || restart === undefined) throw new Error(`no set ${set}`);
    const delay = delayAfterDeath(model.delays[slot], restart, nowMs);
    model.delays[slot] = { ...delay, notBeforeMs: Math.max(delay.notBeforeMs, nowMs + 100) };
  }

  #countDeath({ set, slot }: WorkerFact, nowMs: number): void {
    const model = this.sets[set];
    const restart = this.limits.sets[set]?.restart;
    if (model === undefined || restart === undefined) throw new Error(`no set ${set}`);
    model.deaths.push(nowMs);
    model.delays[slot] = delayAfterDeath(model.delays[slot], restart, nowMs);
    if (this.recentDeaths(set, nowMs) > restart.intensity) this.#fault(set);
  }

  recentDeaths(set: number, nowMs: number): number {
    const periodMs = this.limits.sets[set]?.restart.periodMs ?? 0;
    return this.sets[set]?.deaths.filter((atMs) => atMs > nowMs - periodMs).length ?? 0;
  }

  #countPreloader(
    world: World,
    event: Extract<Event, { type: "preloaderExited" | "preloaderLaunchFailed" }>,
    nowMs: number,
  ): void {
    const fact = world.preloaders[event.preloader];
    const restart = this.limits.preloaders[event.preloader]?.restart;
    const failures = this.failures[event.preloader];
    if (fact?.generation !== event.generation || restart === undefined || failures === undefined) return;
    if (event.type === "preloaderLaunchFailed" && (fact.pid !== undefined || event.shortage !== undefined))
      return;
    const served = this.limits.sets.flatMap(({ preloader }, set) =>
      preloader === event.preloader ? [set] : [],
    );
    // Its end was asked for, or nobody needs it any more.
    if (this.stopSinceMs !== undefined || served.every((set) => this.sets[set]?.isFaulted)) return;
    failures.push(nowMs);
    if (failures.filter((atMs) => atMs > nowMs - restart.periodMs).length <= restart.intensity) return;
    for (const set of served) this.#fault(set);
  }

  #fault(set: number): void {
    const model = this.sets[set];
    // What goes down with a stop is no fault.
    if (model !== undefined && this.stopSinceMs === undefined) model.isFaulted = true;
  }

  #checkTimes(world: World, fact: WorkerFact, nowMs: number): void {
    const limits = world.setOf(fact);
    const servant = world.servantOf(fact);
    if (fact.pid === undefined) {
      // The end of a preloader that has been asked to go withdraws the launch, and that is no death.
      if (fact.isAbandoned || this.#isLeaving(servant) || nowMs < fact.requestedAtMs + limits.launchTimeoutMs)
        return;
      fact.isAbandoned = true;
      this.#leaving.add(servant);
      this.#countDeath(fact, nowMs);
    } else if (limits.needsAck && !fact.isAcked && fact.askedAtMs === undefined) {
      if (nowMs >= fact.launchedAtMs + (limits.ackTimeoutMs ?? Number.POSITIVE_INFINITY)) {
        this.#countDeath(fact, nowMs);
      }
    }
  }

  /** Preloaders that the event in hand will make the core stop; the world hears of it only by the effects. */
  readonly #leaving = new Set<PreloaderFact | undefined>();

  #isLeaving(servant: PreloaderFact | undefined): boolean {
    return servant !== undefined && (servant.askedAtMs !== undefined || this.#leaving.has(servant));
  }

  #stop(world: World, nowMs: number): void {
    this.stopSinceMs ??= nowMs;
    for (const fact of world.workers.values()) if (fact.pid === undefined) fact.isAbandoned = true;
  }

  /** After the world has taken note of the event, and before it hears of the effects. */
  settle(world: World, nowMs: number): void {
    this.#leaving.clear();
    if (!this.isStarted || this.stopSinceMs !== undefined) return;
    if (this.limits.onFault === "exit" && this.sets.some(({ isFaulted }) => isFaulted)) {
      return this.#stop(world, nowMs);
    }
    for (const [set, model] of this.sets.entries()) {
      if (!model.isFaulted && readyOf(world, set) === this.limits.sets[set]?.count) model.hasRun = true;
    }
  }

  stateOf(world: World, set: number): SetState {
    const model = this.sets[set];
    const limits = this.limits.sets[set];
    if (model === undefined || limits === undefined) throw new Error(`no set ${set}`);
    if (world.exits.length > 0) return "stopped";
    if (this.stopSinceMs !== undefined) return "draining";
    if (model.isFaulted) return "faulted";
    if (readyOf(world, set) === limits.count) return "running";
    if (model.hasRun) return "underprovisioned";
    const servant = limits.preloader === undefined ? undefined : world.preloaders[limits.preloader];
    const isLoaded = servant?.isReady === true && servant.askedAtMs === undefined;
    return limits.preloader === undefined || isLoaded ? "starting" : "loading";
  }

  verdict(world: World): { overall: boolean; ready: boolean; live: boolean } {
    const verdict = { overall: true, ready: true, live: true };
    for (const [set, { minReady }] of this.limits.sets.entries()) {
      const answer = answers[this.stateOf(world, set)];
      verdict.overall &&= answer.overall;
      verdict.ready &&= answer.ready === "minReady" ? readyOf(world, set) >= minReady : answer.ready;
      verdict.live &&= answer.live;
    }
    return verdict;
  }
}

export function readyOf(world: World, set: number): number {
  return world.workersOf(set).filter((fact) => isReady(fact, world)).length;
}

export function isReady(fact: WorkerFact, world: World): boolean {
  if (fact.pid === undefined || fact.isAbandoned || fact.askedAtMs !== undefined) return false;
  return fact.isAcked || !world.setOf(fact).needsAck;
}

function inSlotOrder(world: World): WorkerFact[] {
  return [...world.workers.values()].sort((a, b) => a.set - b.set || a.slot - b.slot);
}
