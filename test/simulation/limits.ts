/** Small fleets of every kind: the smaller the numbers, the more often two things fall on one another. */
import type { FleetLimits, PreloaderLimits, RestartLimits, SetLimits } from "../../src/core/fleet.ts";
import type { Dice } from "../core/random/dice.ts";

export function drawLimits(dice: Dice): FleetLimits {
  const most = dice.oneOf(0, 1, 1, 2);
  const sets = Array.from({ length: dice.oneOf(1, 1, 2, 3) }, (_, set) => drawSet(dice, set, most));
  // As a configuration has it: there is a preloader for each that a set names, and no other.
  const preloaders = Array.from({ length: most }, () => drawPreloader(dice));
  const all: FleetLimits = {
    name: "shop",
    sets,
    preloaders,
    shutdownTimeoutMs: dice.oneOf(300, 5000, 25_000),
    drainDelayMs: dice.oneOf(0, 0, 200),
    onFault: dice.oneOf("stay", "stay", "exit"),
  };
  return withSets(all, sets);
}

function placeOf({ preloader }: SetLimits, named: readonly number[]): number | undefined {
  return preloader === undefined ? undefined : named.indexOf(preloader);
}

function drawPreloader(dice: Dice): PreloaderLimits {
  const restart = drawRestart(dice);
  return { loadTimeoutMs: dice.oneOf(500, 60_000), stopTimeoutMs: dice.oneOf(100, 2000), restart };
}

function drawSet(dice: Dice, set: number, preloaders: number): SetLimits {
  const count = dice.oneOf(1, 1, 2, 3);
  const isRuby = preloaders > 0 && dice.chance(0.7);
  return {
    name: `set-${set}`,
    count,
    minReady: 1 + dice.below(count),
    preloader: isRuby ? dice.below(preloaders) : undefined,
    needsAck: dice.chance(0.7),
    ackTimeoutMs: dice.oneOf(undefined, 250, 2000),
    launchTimeoutMs: dice.oneOf(300, 5000, 30_000),
    maxStarting: dice.oneOf(undefined, undefined, 1, 2),
    stopSignal: dice.oneOf("SIGTERM", "SIGTERM", "SIGINT", "SIGQUIT"),
    stopTimeoutMs: dice.oneOf(0, 150, 5000),
    restart: drawRestart(dice),
  };
}

function drawRestart(dice: Dice): RestartLimits {
  const intensity = dice.oneOf(0, 1, 4, 50, 50);
  return { intensity, periodMs: dice.oneOf(400, 60_000), backoffMs: dice.oneOf(0, 100), backoffMaxMs: 1600 };
}

/** One set less, or one worker for several: what a failure may not need. */
export function simplerLimits(limits: FleetLimits): FleetLimits[] {
  const fewer = limits.sets.map((_, left) => withSets(limits, limits.sets.toSpliced(left, 1)));
  const smaller = limits.sets.flatMap((set, index) =>
    set.count > 1 ? [withSets(limits, limits.sets.with(index, { ...set, count: 1, minReady: 1 }))] : [],
  );
  return [...(limits.sets.length > 1 ? fewer : []), ...smaller];
}

/** Without the preloaders that none of these sets names. */
function withSets(limits: FleetLimits, sets: readonly SetLimits[]): FleetLimits {
  const named = [...new Set(sets.flatMap(({ preloader }) => preloader ?? []))];
  const preloaders = named.flatMap((preloader) => limits.preloaders[preloader] ?? []);
  return { ...limits, preloaders, sets: sets.map((set) => ({ ...set, preloader: placeOf(set, named) })) };
}

/** The longest that a fleet may take to come right when faults have ceased: everything that it may wait for, in a row. */
export function longestRecoveryMs({ sets, preloaders }: FleetLimits): number {
  let sumMs = 5000;
  for (const { count, launchTimeoutMs, ackTimeoutMs, stopTimeoutMs, restart } of sets) {
    const onceMs = launchTimeoutMs + (ackTimeoutMs ?? 0) + stopTimeoutMs + 1.2 * restart.backoffMaxMs;
    sumMs += 2 * count * onceMs;
  }
  for (const { loadTimeoutMs, stopTimeoutMs, restart } of preloaders) {
    // A lost connection is noticed late, and one that is held open by others is cut off.
    sumMs += 2 * (loadTimeoutMs + stopTimeoutMs + 1.2 * restart.backoffMaxMs + 1500);
  }
  return sumMs;
}

/** Everything is killed after `shutdown_timeout`, and given up a second later. */
export function longestStopMs({ shutdownTimeoutMs }: FleetLimits): number {
  return shutdownTimeoutMs + 1000;
}
