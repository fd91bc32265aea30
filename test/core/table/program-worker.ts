/** A worker that is a program and needs no ack: how its states come about. */
import { fleetLimits, programLimits } from "../support/limits.ts";
import { exited, launched, play, post, startedScene, sweep, terminate, wait } from "../support/scene.ts";
import type { Table } from "./cell.ts";
import { programWorkerCells } from "./program-worker-cells.ts";
import { type WorkerEventName, workerDeaths, workerEvents, workerPhase } from "./worker-parts.ts";

export type ProgramState =
  | "vacant"
  | "backingOff"
  | "requested"
  | "abandonedLate"
  | "abandonedByStop"
  | "ready"
  | "stoppingLate"
  | "stoppingByStop"
  | "killed";

const limits = programLimits();
const requested = () => startedScene(fleetLimits([limits]));
const ready = () => post(requested(), launched(1));
const late = () => wait(requested(), limits.launchTimeoutMs);
const stopping = () => post(ready(), terminate);

/** The set is faulted by the very first death. */
const faulted = () => {
  const restart = { ...limits.restart, intensity: 0 };
  return sweep(play(startedScene(fleetLimits([{ ...limits, restart }])), launched(1), exited(1)));
};

export const programWorkerTable: Table<ProgramState, WorkerEventName> = {
  title: "A program that needs no ack",
  introduction:
    'One set with one slot (process 201 is its first worker), `ack = "none"`: ready when launched.',
  states: {
    vacant: { text: "vacant, the set is faulted", run: faulted },
    backingOff: {
      text: "backingOff, after two deaths",
      run: () => sweep(play(requested(), launched(1), exited(1), launched(2), exited(2))),
    },
    requested: { text: "requested", run: requested },
    abandonedLate: { text: "abandoned, after its launch timed out", run: late },
    abandonedByStop: { text: "abandoned, by a stop", run: () => post(requested(), terminate) },
    ready: { text: "ready", run: ready },
    stoppingLate: { text: "stopping, launched too late", run: () => post(late(), launched(1)) },
    stoppingByStop: { text: "stopping, by a stop", run: stopping },
    killed: {
      text: "killed, after its grace period in a stop",
      run: () => wait(stopping(), limits.stopTimeoutMs),
    },
  },
  events: workerEvents,
  phaseOf: workerPhase,
  deathsOf: workerDeaths,
  cells: programWorkerCells,
};
