/** Small fleets of every kind: the smaller the numbers, the more often two things fall on one another. */
import type { FleetLimits, PreloaderLimits, RestartLimits, SetLimits } from "../../../src/core/fleet.ts";
import type { Dice } from "./dice.ts";

export function randomLimits(dice: Dice): FleetLimits {
  const preloaders = Array.from({ length: dice.below(3) }, () => randomPreloader(dice));
  const sets = Array.from({ length: 1 + dice.below(3) }, (_, set) => randomSet(dice, set, preloaders.length));
  return {
    name: "shop",
    sets,
    preloaders,
    shutdownTimeoutMs: dice.oneOf(0, 300, 5000, 25_000),
    drainDelayMs: dice.oneOf(0, 0, 200),
    onFault: dice.oneOf("stay", "stay", "exit"),
  };
}

function randomPreloader(dice: Dice): PreloaderLimits {
  const restart = randomRestart(dice);
  return { loadTimeoutMs: dice.oneOf(500, 60_000), stopTimeoutMs: dice.oneOf(0, 100, 3000), restart };
}

function randomSet(dice: Dice, set: number, preloaders: number): SetLimits {
  const count = 1 + dice.below(3);
  const ruby = preloaders > 0 && dice.chance(0.7);
  return {
    name: `set-${set}`,
    count,
    minReady: 1 + dice.below(count),
    preloader: ruby ? dice.below(preloaders) : undefined,
    needsAck: dice.chance(0.6),
    ackTimeoutMs: dice.oneOf(undefined, 0, 250, 2000),
    launchTimeoutMs: dice.oneOf(0, 300, 30_000),
    maxStarting: dice.oneOf(undefined, undefined, 1, 2),
    stopSignal: "SIGTERM",
    stopTimeoutMs: dice.oneOf(0, 150, 5000),
    restart: randomRestart(dice),
  };
}

function randomRestart(dice: Dice): RestartLimits {
  const intensity = dice.oneOf(0, 1, 2, 4, 50);
  return { intensity, periodMs: dice.oneOf(400, 60_000), backoffMs: dice.oneOf(0, 100), backoffMaxMs: 1600 };
}
