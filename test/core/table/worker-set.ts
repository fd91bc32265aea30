/** A worker set of two slots: how its states come about, and what makes it faulted. */
import type { FleetLimits } from "../../../src/core/fleet.ts";
import { fleetLimits, preloaderLimits, rubyLimits } from "../support/limits.ts";
import {
  acked,
  exited,
  healthOf,
  launched,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  type Scene,
  startedScene,
  sweep,
  terminate,
  wait,
} from "../support/scene.ts";
import type { Table } from "./cell.ts";
import { workerSetCells } from "./worker-set-cells.ts";

export type SetStateName = "loading" | "starting" | "running" | "underprovisioned" | "faulted" | "draining";

export type SetEventName =
  | "lastReady"
  | "firstDeath"
  | "secondDeath"
  | "oneTooMany"
  | "ackTimeout"
  | "preloaderExited"
  | "preloaderTooOften"
  | "stopRequested";

const restart = { ...rubyLimits().restart, intensity: 2 };
const ackTimeoutMs = 12_000;
const limits = fleetLimits([rubyLimits({ count: 2, minReady: 1, restart })], { drainDelayMs: 2000 });
const generations: FleetLimits["preloaders"] = [{ ...preloaderLimits, restart }];

/** In each state slot 0 has worker 1, ready; slot 1 lost worker 2 and has worker 3. */
const begin = () =>
  play(startedScene({ ...limits, preloaders: generations }), preloaderLaunched(1), preloaderReady(1));
const oneLost = () => play(begin(), launched(1), acked(1), launched(2), exited(2));
const starting = () => sweep(post(oneLost(), launched(3)));
const loading = () => sweep(play(starting(), preloaderExited(1), preloaderLaunched(2)));
const running = () => post(starting(), acked(3));
const underprovisioned = () =>
  sweep(play(begin(), launched(1), acked(1), launched(2), acked(2), exited(2), launched(3)));

/** Faulted by its preloader, which has failed three times, so that both workers live. */
const faulted = () => {
  const twice = play(loading(), preloaderExited(2));
  return sweep(play(wait(twice, 200), preloaderLaunched(3), preloaderExited(3)));
};

export const workerSetTable: Table<SetStateName, SetEventName> = {
  title: "A worker set",
  introduction:
    "Two slots, `intensity` 2, `min_ready` 1. Slot 0 has process 201, ready; slot 1 has lost its first worker and has process 203, launched (in `running`: ready). The preloader's own intensity is 2, too.",
  states: {
    loading: { text: "loading", run: loading },
    starting: { text: "starting", run: starting },
    running: { text: "running", run: running },
    underprovisioned: { text: "underprovisioned", run: underprovisioned },
    faulted: { text: "faulted, by its preloader", run: faulted },
    draining: { text: "draining, `drain_delay` is not over", run: () => post(underprovisioned(), terminate) },
  },
  events: {
    lastReady: { text: "`workerAcked`: the last one", run: (scene) => post(scene, acked(3)) },
    firstDeath: {
      text: "`workerExited` in slot 0: its first death",
      run: (scene) => post(scene, exited(1)),
    },
    secondDeath: {
      text: "`workerExited` in slot 1: its second death",
      run: (scene) => post(scene, exited(3)),
    },
    oneTooMany: {
      text: "`workerExited` in both slots: the second is one death too many",
      run: (scene) => play(scene, exited(1), exited(3)),
    },
    ackTimeout: { text: "`deadlineReached`, `ack_timeout`", run: (scene) => wait(scene, ackTimeoutMs) },
    preloaderExited: { text: "`preloaderExited`", run: (s) => post(s, preloaderExited(generationOf(s))) },
    preloaderTooOften: { text: "`preloaderExited`, once too often", run: (scene) => failTooOften(scene) },
    stopRequested: { text: "`stopRequested`", run: (scene) => post(scene, terminate) },
  },
  phaseOf: (scene) => healthOf(scene).state,
  deathsOf: ({ fleet }) => fleet.sets[0]?.deaths ?? [],
  cells: workerSetCells,
};

function generationOf({ fleet }: Scene): number {
  return fleet.preloaders[0]?.generation ?? 0;
}

/** Until the set is faulted or nothing is left to fail; only the effects of the last failure are shown. */
function failTooOften(scene: Scene): Scene {
  const preloader = scene.fleet.preloaders[0];
  if (scene.fleet.sets[0]?.isFaulted === true || preloader?.process.phase === "retired") {
    return { ...scene, effects: [] };
  }
  const awake = preloader?.process.phase === "waiting" ? wait(scene, 200) : scene;
  const generation = generationOf(awake);
  return failTooOften(play(awake, preloaderLaunched(generation), preloaderExited(generation)));
}
