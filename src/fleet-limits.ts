/** What the core has to know of the configuration, and which worker sets share a preloader. */
import type { Config, RubyCommand, WorkerSetConfig } from "./config/config.ts";
import { groupByPreloader, type PreloaderGroup } from "./config/preloader-key.ts";
import type { FleetLimits, PreloaderLimits, SetLimits } from "./core/fleet.ts";

/** How long a preloader has from TERM to KILL, in ms. It has nothing to finish but the report of a load that hangs. */
const preloaderStopTimeoutMs = 2000;

/**
 * A preloader that fails six times within its period faults its sets, whatever their own intensities (which grow with
 * `count`): a load that fails does not fail less for being shared by more workers.
 */
const preloaderIntensity = 5;

/** What a preloader is started with; all its sets agree in it. */
export type PreloaderPlan = {
  readonly ruby: RubyCommand;
  readonly set: WorkerSetConfig;
};

export type FleetPlan = {
  readonly limits: FleetLimits;
  readonly preloaders: readonly PreloaderPlan[];
};

export function planFleet(config: Config): FleetPlan {
  const groups = groupByPreloader(config.sets);
  const { name, shutdownTimeoutMs, drainDelayMs, onFault } = config.supervisor;
  const sets = config.sets.map((set) => setLimits(set, groups));
  const preloaders = groups.map(preloaderLimits);
  return {
    limits: { name, shutdownTimeoutMs, drainDelayMs, onFault, sets, preloaders },
    preloaders: groups.map(planPreloader),
  };
}

function planPreloader({ sets: [set] }: PreloaderGroup): PreloaderPlan {
  if (set.command.type !== "ruby") throw new Error(`worker set ${set.name} has no preloader`);
  return { ruby: set.command, set };
}

function setLimits(set: WorkerSetConfig, groups: readonly PreloaderGroup[]): SetLimits {
  const preloader = groups.findIndex((group) => group.sets.includes(set));
  return {
    name: set.name,
    count: set.count,
    minReady: set.minReady,
    preloader: preloader === -1 ? undefined : preloader,
    needsAck: set.ack !== "none",
    ackTimeoutMs: set.ackTimeoutMs,
    launchTimeoutMs: set.launchTimeoutMs,
    maxStarting: set.maxStarting,
    stopSignal: set.stopSignal,
    stopTimeoutMs: set.stopTimeoutMs,
    restart: set.restart,
  };
}

/** The strictest intensity among the sets that share it, and the most patient delays. */
function preloaderLimits({ sets, loadTimeoutMs }: PreloaderGroup): PreloaderLimits {
  const restarts = sets.map((set) => set.restart);
  return {
    loadTimeoutMs,
    stopTimeoutMs: preloaderStopTimeoutMs,
    restart: {
      intensity: Math.min(preloaderIntensity, ...restarts.map(({ intensity }) => intensity)),
      periodMs: Math.max(...restarts.map(({ periodMs }) => periodMs)),
      backoffMs: Math.max(...restarts.map(({ backoffMs }) => backoffMs)),
      backoffMaxMs: Math.max(...restarts.map(({ backoffMaxMs }) => backoffMaxMs)),
    },
  };
}
