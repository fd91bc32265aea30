/** A Ruby worker that must ack, forked by a preloader: how its states come about. */
import { fleetLimits, rubyLimits } from "../support/limits.ts";
import {
  acked,
  exited,
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
import { comingCells } from "./ruby-worker-coming-cells.ts";
import { goingCells } from "./ruby-worker-going-cells.ts";
import { type WorkerEventName, workerDeaths, workerEvents, workerPhase } from "./worker-parts.ts";

export type RubyState =
  | "vacant"
  | "backingOff"
  | "requested"
  | "abandonedLate"
  | "abandonedByStop"
  | "launched"
  | "ready"
  | "stoppingUnacked"
  | "stoppingByStop"
  | "killed";

export type RubyEventName = WorkerEventName | "preloaderReady" | "preloaderExited";

const limits = rubyLimits();
const begin = () => startedScene(fleetLimits([limits]));
const loading = () => post(begin(), preloaderLaunched(1));
const requested = () => post(loading(), preloaderReady(1));
const isLaunched = () => post(requested(), launched(1));
const ready = () => post(isLaunched(), acked(1));
const unacked = () => wait(isLaunched(), limits.ackTimeoutMs ?? 0);
const generation = ({ fleet }: Scene) => fleet.preloaders[0]?.generation ?? 0;

export const rubyWorkerTable: Table<RubyState, RubyEventName> = {
  title: "A Ruby worker that acks",
  introduction:
    'One set with one slot (process 201 is its first worker), `ack = "message"`, forked by the preloader (process 101).',
  states: {
    vacant: { text: "vacant, the preloader is loading", run: loading },
    backingOff: {
      text: "backingOff, after two deaths",
      run: () => sweep(play(requested(), launched(1), exited(1), launched(2), exited(2))),
    },
    requested: { text: "requested", run: requested },
    abandonedLate: {
      text: "abandoned, after its launch timed out",
      run: () => wait(requested(), limits.launchTimeoutMs),
    },
    abandonedByStop: { text: "abandoned, by a stop", run: () => post(requested(), terminate) },
    launched: { text: "launched", run: isLaunched },
    ready: { text: "ready", run: ready },
    stoppingUnacked: { text: "stopping, after its ack timed out", run: unacked },
    stoppingByStop: { text: "stopping, by a stop", run: () => post(ready(), terminate) },
    killed: {
      text: "killed, after its ack timed out and its grace period",
      run: () => wait(unacked(), limits.stopTimeoutMs),
    },
  },
  events: {
    ...workerEvents,
    preloaderReady: {
      text: "`preloaderReady`",
      run: (scene) => post(scene, preloaderReady(generation(scene))),
    },
    preloaderExited: {
      text: "`preloaderExited`",
      run: (scene) => post(scene, preloaderExited(generation(scene))),
    },
  },
  phaseOf: workerPhase,
  deathsOf: workerDeaths,
  cells: { ...comingCells, ...goingCells },
};
