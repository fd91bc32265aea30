/** Limits for fleets under test: every number differs from the others, so that no two deadlines are mistaken. */
import type { FleetLimits, PreloaderLimits, RestartLimits, SetLimits } from "../../../src/core/fleet.ts";

export const restartLimits: RestartLimits = {
  intensity: 3,
  periodMs: 60_000,
  backoffMs: 100,
  backoffMaxMs: 10_000,
};

export function programLimits(change: Partial<SetLimits> = {}): SetLimits {
  const count = change.count ?? 1;
  return {
    name: "web",
    count,
    minReady: count,
    preloader: undefined,
    needsAck: false,
    ackTimeoutMs: undefined,
    launchTimeoutMs: 30_000,
    maxStarting: undefined,
    stopSignal: "SIGTERM",
    stopTimeoutMs: 5000,
    restart: restartLimits,
    ...change,
  };
}

/** A set that shares the first preloader and whose workers must ack. */
export function rubyLimits(change: Partial<SetLimits> = {}): SetLimits {
  return programLimits({ preloader: 0, needsAck: true, ackTimeoutMs: 12_000, ...change });
}

export const preloaderLimits: PreloaderLimits = {
  loadTimeoutMs: 300_000,
  stopTimeoutMs: 3000,
  restart: restartLimits,
};

/** As many preloaders as the sets name. */
export function fleetLimits(sets: readonly SetLimits[], change: Partial<FleetLimits> = {}): FleetLimits {
  const places = sets.map(({ preloader }) => preloader ?? -1);
  const preloaders = Array.from({ length: Math.max(-1, ...places) + 1 }, () => preloaderLimits);
  return {
    name: "shop",
    sets,
    preloaders,
    shutdownTimeoutMs: 25_000,
    drainDelayMs: 0,
    onFault: "stay",
    ...change,
  };
}
