/** When something is due, and whether it has been done: worked out from the facts, as the specification has it. */
import type { Event } from "../../../src/core/event.ts";
import type { FleetLimits, RestartLimits } from "../../../src/core/fleet.ts";
import type { Model } from "./model.ts";
import type { PreloaderFact, WorkerFact, World } from "./world.ts";

/** The longest that killed processes are waited for (section 4 leaves it open). */
export const killedGraceMs = 1000;

/** Whether everything is to be killed: by QUIT, by a second TERM or INT, or because the stop takes too long. */
export class KillWatch {
  stopSignals = 0;
  killingSinceMs: number | undefined;

  clone(): KillWatch {
    const copy = new KillWatch();
    copy.stopSignals = this.stopSignals;
    copy.killingSinceMs = this.killingSinceMs;
    return copy;
  }

  /** @param stopSinceMs as it was before the event. */
  observe(event: Event, limits: FleetLimits, stopSinceMs: number | undefined, nowMs: number): void {
    if (event.type === "stopRequested") this.stopSignals += 1;
    const isLate =
      event.type === "deadlineReached" && nowMs >= (stopSinceMs ?? nowMs + 1) + limits.shutdownTimeoutMs;
    if (event.type !== "killRequested" && this.stopSignals < 2 && !isLate) return;
    this.killingSinceMs ??= nowMs;
  }
}

/** Deaths in a row of one slot, and the earliest time of the next launch. */
export type SlotDelay = { readonly deaths: number; readonly lastAtMs: number; readonly notBeforeMs: number };

export function delayAfterDeath(
  before: SlotDelay | undefined,
  restart: RestartLimits,
  nowMs: number,
): SlotDelay {
  const isInARow = before !== undefined && nowMs - before.lastAtMs < restart.periodMs;
  const deaths = isInARow ? before.deaths + 1 : 1;
  const fullMs = deaths === 1 ? 0 : Math.min(restart.backoffMs * 2 ** (deaths - 2), restart.backoffMaxMs);
  return { deaths, lastAtMs: nowMs, notBeforeMs: nowMs + 0.8 * fullMs };
}

/** Everything that must have been done by now, after an event at this time. */
export function checkDone(world: World, model: Model, nowMs: number): void {
  const { stopSinceMs, kill, limits } = model;
  if (stopSinceMs === undefined) return;
  for (const fact of [...world.workers.values(), ...world.preloaders]) {
    if (fact?.pid === undefined) continue;
    if (kill.killingSinceMs !== undefined && !fact.isKilled) throw new Error(`${fact.pid} is not killed`);
    if ("set" in fact && nowMs >= stopSinceMs + limits.drainDelayMs && fact.askedAtMs === undefined) {
      throw new Error(`worker ${fact.pid} is not asked to go, though the drain is over`);
    }
    if (!("set" in fact) && world.workers.size === 0 && fact.askedAtMs === undefined) {
      throw new Error(`preloader ${fact.pid} is not asked to go, though no worker is left`);
    }
  }
}

/** The earliest time at which the core must be woken; it may want to be woken earlier. */
export function earliestDue(world: World, model: Model): number {
  const times = [
    ...[...world.workers.values()].map((fact) => workerDue(fact, world)),
    ...world.preloaders.map((fact, index) => preloaderDue(fact, world, index)),
    stopDue(world, model),
  ];
  return Math.min(...times);
}

const never = Number.POSITIVE_INFINITY;

function workerDue(fact: WorkerFact, world: World): number {
  const limits = world.setOf(fact);
  if (fact.isKilled) return never;
  if (fact.askedAtMs !== undefined) return fact.askedAtMs + limits.stopTimeoutMs;
  if (fact.pid !== undefined) {
    const waits = limits.needsAck && !fact.isAcked && limits.ackTimeoutMs !== undefined;
    return waits ? fact.launchedAtMs + (limits.ackTimeoutMs ?? never) : never;
  }
  const isWithdrawn = world.servantOf(fact)?.askedAtMs !== undefined;
  return fact.isAbandoned || isWithdrawn ? never : fact.requestedAtMs + limits.launchTimeoutMs;
}

function preloaderDue(fact: PreloaderFact | undefined, world: World, index: number): number {
  const limits = world.limits.preloaders[index];
  if (limits === undefined || fact?.pid === undefined || fact.isKilled) return never;
  if (fact.askedAtMs !== undefined) return fact.askedAtMs + limits.stopTimeoutMs;
  return fact.isReady ? never : fact.launchedAtMs + limits.loadTimeoutMs;
}

function stopDue(world: World, { stopSinceMs, kill, limits }: Model): number {
  if (kill.killingSinceMs !== undefined) return kill.killingSinceMs + killedGraceMs;
  if (stopSinceMs === undefined) return never;
  const waits = [...world.workers.values()].some(
    (fact) => fact.pid !== undefined && fact.askedAtMs === undefined,
  );
  return (
    stopSinceMs + (waits ? Math.min(limits.drainDelayMs, limits.shutdownTimeoutMs) : limits.shutdownTimeoutMs)
  );
}
