/** The supervisor's own life, from before the start to after the exit: how its phases come about. */
import type { Event } from "../../../src/core/event.ts";
import { eachWorker, type FleetPhase } from "../../../src/core/fleet.ts";
import { fleetLimits, rubyLimits } from "../support/limits.ts";
import {
  acked,
  exited,
  hangUp,
  idleScene,
  launched,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  quit,
  type Scene,
  sweep,
  terminate,
  wait,
} from "../support/scene.ts";
import type { Table } from "./cell.ts";
import { endingCells } from "./fleet-ending-cells.ts";
import { servingCells } from "./fleet-serving-cells.ts";

export type FleetState =
  | "idle"
  | "serving"
  | "draining"
  | "drainingByFault"
  | "stoppingWorkers"
  | "stoppingPreloaders"
  | "sweepingOrphans"
  | "killing"
  | "killingChildless"
  | "stopped";

export type FleetEventName =
  | "started"
  | "stopRequested"
  | "killRequested"
  | "signalReceived"
  | "childrenGone"
  | "groupGone"
  | "notDue"
  | "due"
  | "shutdownTimeout"
  | "lastWorkerExited"
  | "lastPreloaderExited";

const drainDelayMs = 2000;
const limits = fleetLimits([rubyLimits()], { drainDelayMs });
const childrenGone: Event = { type: "childrenGone" };
const idle = () => idleScene(limits);
const begin: readonly Event[] = [{ type: "started" }, preloaderLaunched(1), preloaderReady(1)];
const serving = () => play(idle(), ...begin, launched(1), acked(1));
const draining = () => post(serving(), terminate);
const stoppingWorkers = () => wait(draining(), drainDelayMs);
const stoppingPreloaders = () => sweep(post(stoppingWorkers(), exited(1)));
const sweepingOrphans = () => sweep(post(stoppingPreloaders(), preloaderExited(1)));
const killing = () => post(stoppingWorkers(), terminate);

/** The first of two workers dies and that is one death too many; the other one is ready. */
const drainingByFault = () => {
  const restart = { ...rubyLimits().restart, intensity: 0 };
  const idlePair = idleScene(
    fleetLimits([rubyLimits({ count: 2, restart })], { drainDelayMs, onFault: "exit" }),
  );
  return sweep(play(idlePair, ...begin, launched(1), launched(2), acked(2), exited(1)));
};

export const fleetTable: Table<FleetState, FleetEventName> = {
  title: "The supervisor",
  introduction:
    "One set with one worker (process 201), forked by a preloader (process 101); `drain_delay` is 2 s, `shutdown_timeout` 25 s.",
  states: {
    idle: { text: "idle", run: idle },
    serving: { text: "serving", run: serving },
    draining: { text: "draining, after TERM", run: draining },
    drainingByFault: {
      text: 'draining, by a fault and `on_fault = "exit"` (its ready worker is process 202)',
      run: drainingByFault,
    },
    stoppingWorkers: { text: "stoppingWorkers", run: stoppingWorkers },
    stoppingPreloaders: { text: "stoppingPreloaders", run: stoppingPreloaders },
    sweepingOrphans: { text: "sweepingOrphans", run: sweepingOrphans },
    killing: { text: "killing, the worker is not reaped yet", run: killing },
    killingChildless: {
      text: "killing, told that there are no children before it is told of the worker's exit",
      run: () => play(killing(), preloaderExited(1), childrenGone),
    },
    stopped: { text: "stopped", run: () => post(sweepingOrphans(), childrenGone) },
  },
  events: {
    started: { text: "`started`", run: (scene) => post(scene, { type: "started" }) },
    stopRequested: { text: "`stopRequested`", run: (scene) => post(scene, terminate) },
    killRequested: { text: "`killRequested`", run: (scene) => post(scene, quit) },
    signalReceived: { text: "`signalReceived`", run: (scene) => post(scene, hangUp) },
    childrenGone: { text: "`childrenGone`", run: (scene) => post(scene, childrenGone) },
    groupGone: {
      text: "`groupGone`, of no group that is waited for",
      run: (scene) => post(scene, { type: "groupGone", pgid: 999 }),
    },
    notDue: {
      text: "`deadlineReached`, a millisecond before its own",
      run: (scene) => reachDeadline(scene, -1),
    },
    due: { text: "`deadlineReached`, its own", run: (scene) => reachDeadline(scene, 0) },
    shutdownTimeout: { text: "`deadlineReached`, `shutdown_timeout`", run: reachTimeout },
    lastWorkerExited: {
      text: "`workerExited`, the last one",
      run: (scene) => post(scene, exited(lastLaunch(scene))),
    },
    lastPreloaderExited: {
      text: "`preloaderExited`, the last one",
      run: (scene) => post(scene, preloaderExited(1)),
    },
  },
  phaseOf: ({ fleet }) => fleet.phase.kind,
  deathsOf: ({ fleet }) => fleet.sets[0]?.deaths ?? [],
  cells: { ...servingCells, ...endingCells },
};

function lastLaunch({ fleet }: Scene): number {
  const [last] = [...eachWorker(fleet)];
  return last === undefined ? 1 : Number(last.worker.id.slice(2));
}

function reachDeadline(scene: Scene, offsetMs: number): Scene {
  const dueMs = deadlineOf(scene.fleet.phase);
  const nowMs = dueMs === undefined ? scene.nowMs : dueMs + offsetMs;
  return post({ ...scene, nowMs }, { type: "deadlineReached" });
}

/** Whatever comes before it (grace periods, a drain's end) is late and falls on the same moment. */
function reachTimeout(scene: Scene): Scene {
  const { phase } = scene.fleet;
  const nowMs = "sinceMs" in phase ? phase.sinceMs + 25_000 : scene.nowMs;
  return post({ ...scene, nowMs }, { type: "deadlineReached" });
}

function deadlineOf(phase: FleetPhase): number | undefined {
  switch (phase.kind) {
    case "draining":
      return phase.untilMs;
    case "stoppingWorkers":
    case "stoppingPreloaders":
    case "sweepingOrphans":
      return phase.deadlineMs;
    case "killing":
      return phase.giveUpAtMs;
    case "idle":
    case "serving":
    case "stopped":
      return undefined;
  }
}
