/** A preloader of the second generation, beside a worker that the first one forked: how its states come about. */
import type { Event } from "../../../src/core/event.ts";
import type { PreloaderProcess } from "../../../src/core/fleet.ts";
import { fleetLimits, preloaderLimits, rubyLimits } from "../support/limits.ts";
import {
  acked,
  exited,
  hangUp,
  launched,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  quit,
  type Scene,
  startedScene,
  sweep,
  terminate,
  wait,
} from "../support/scene.ts";
import type { Table } from "./cell.ts";
import { comingCells } from "./preloader-coming-cells.ts";
import { goingCells } from "./preloader-going-cells.ts";
import { goneCells } from "./preloader-gone-cells.ts";

export type PreloaderState =
  | "waiting"
  | "requested"
  | "loading"
  | "ready"
  | "stoppingLate"
  | "stoppingByStop"
  | "killed"
  | "gone"
  | "goneByStop"
  | "retiredByFault"
  | "retiredByStop";

export type PreloaderEventName =
  | "preloaderLaunched"
  | "preloaderLaunchFailed"
  | "preloaderLaunchShort"
  | "preloaderConnected"
  | "preloaderReady"
  | "preloaderFailed"
  | "preloaderDisconnected"
  | "preloaderGone"
  | "preloaderExited"
  | "stale"
  | "notDue"
  | "due"
  | "lastSetFaulted"
  | "stopRequested"
  | "killRequested"
  | "signalReceived";

const ref = { preloader: 0, generation: 2 };
const failed: Event = { type: "preloaderLaunchFailed", ...ref, message: "ENOENT" };
const short: Event = { ...failed, message: "no more processes", shortage: "EAGAIN" };

/** Any death of its worker faults the set; the preloader itself may fail three times. */
const begin = () =>
  startedScene(fleetLimits([rubyLimits({ restart: { ...rubyLimits().restart, intensity: 0 } })]));
const first = () => play(begin(), preloaderLaunched(1), preloaderReady(1), launched(1), acked(1));
const requested = () => sweep(post(first(), preloaderExited(1)));
const loading = () => post(requested(), preloaderLaunched(2));
const ready = () => post(loading(), preloaderReady(2));
const waiting = () => post(requested(), failed);
const late = () => wait(loading(), preloaderLimits.loadTimeoutMs);
const stopping = () => post(loading(), terminate);
const gone: Event = { type: "preloaderGone", ...ref };

/** Whatever an earlier generation may still have to say, all at once. */
const staleEvents: readonly Event[] = [
  preloaderLaunched(1),
  { type: "preloaderLaunchFailed", preloader: 0, generation: 1, message: "EAGAIN" },
  { type: "preloaderConnected", preloader: 0, generation: 1 },
  preloaderReady(1),
  { type: "preloaderFailed", preloader: 0, generation: 1, message: "no such file", backtrace: "" },
  { type: "preloaderDisconnected", preloader: 0, generation: 1, reason: "end of file" },
  { type: "preloaderGone", preloader: 0, generation: 1 },
  preloaderExited(1),
];

export const preloaderTable: Table<PreloaderState, PreloaderEventName> = {
  title: "A preloader",
  introduction:
    "The second generation (process 102) of the only preloader. Its one set has one slot, whose worker (process 201) was forked by the first generation and is ready; a single death faults that set.",
  states: {
    waiting: { text: "waiting, in backoff after its second failure", run: waiting },
    requested: { text: "requested", run: requested },
    loading: { text: "loading", run: loading },
    ready: { text: "ready", run: ready },
    stoppingLate: { text: "stopping, after its load timed out", run: late },
    stoppingByStop: { text: "stopping, by a stop", run: stopping },
    killed: {
      text: "killed, after its load timed out and its grace period",
      run: () => wait(late(), preloaderLimits.stopTimeoutMs),
    },
    gone: {
      text: "gone: its process has exited, its connection is still being read",
      run: () => post(ready(), gone),
    },
    goneByStop: { text: "gone, by a stop", run: () => post(stopping(), gone) },
    retiredByFault: {
      text: "retired, its only set is faulted",
      run: () => sweep(post(waiting(), exited(1))),
    },
    retiredByStop: { text: "retired, by a stop", run: () => post(waiting(), terminate) },
  },
  events: {
    preloaderLaunched: { text: "`preloaderLaunched`", run: (scene) => post(scene, preloaderLaunched(2)) },
    preloaderLaunchFailed: { text: "`preloaderLaunchFailed`", run: (scene) => post(scene, failed) },
    preloaderLaunchShort: {
      text: "`preloaderLaunchFailed`, for a shortage",
      run: (scene) => post(scene, short),
    },
    preloaderConnected: {
      text: "`preloaderConnected`",
      run: (scene) => post(scene, { type: "preloaderConnected", ...ref }),
    },
    preloaderReady: { text: "`preloaderReady`", run: (scene) => post(scene, preloaderReady(2)) },
    preloaderFailed: {
      text: "`preloaderFailed`",
      run: (scene) => post(scene, { type: "preloaderFailed", ...ref, message: "no", backtrace: "a.rb:1" }),
    },
    preloaderDisconnected: {
      text: "`preloaderDisconnected`",
      run: (scene) => post(scene, { type: "preloaderDisconnected", ...ref, reason: "end of file" }),
    },
    preloaderGone: { text: "`preloaderGone`", run: (scene) => post(scene, gone) },
    preloaderExited: { text: "`preloaderExited`", run: (scene) => post(scene, preloaderExited(2)) },
    stale: {
      text: "any of these, of generation 1",
      run: (scene) => ({ ...play(scene, ...staleEvents), effects: effectsOfAll(scene, staleEvents) }),
    },
    notDue: {
      text: "`deadlineReached`, a millisecond before its own",
      run: (scene) => reachDeadline(scene, -1),
    },
    due: { text: "`deadlineReached`, its own", run: (scene) => reachDeadline(scene, 0) },
    lastSetFaulted: { text: "`workerExited`; a death faults its only set", run: (s) => post(s, exited(1)) },
    stopRequested: { text: "`stopRequested`", run: (scene) => post(scene, terminate) },
    killRequested: { text: "`killRequested`", run: (scene) => post(scene, quit) },
    signalReceived: { text: "`signalReceived`", run: (scene) => post(scene, hangUp) },
  },
  phaseOf: (scene) => {
    const process = processOf(scene);
    return process.phase === "stopping" && process.killAtMs === undefined ? "killed" : process.phase;
  },
  deathsOf: ({ fleet }) => fleet.preloaders[0]?.deaths ?? [],
  cells: { ...comingCells, ...goingCells, ...goneCells },
};

function effectsOfAll(scene: Scene, events: readonly Event[]): Scene["effects"] {
  return events.flatMap((event) => post(scene, event).effects);
}

function reachDeadline(scene: Scene, offsetMs: number): Scene {
  const dueMs = deadlineOf(processOf(scene));
  const nowMs = dueMs === undefined ? scene.nowMs : dueMs + offsetMs;
  return post({ ...scene, nowMs }, { type: "deadlineReached" });
}

function deadlineOf(process: PreloaderProcess): number | undefined {
  switch (process.phase) {
    case "waiting":
      return process.untilMs;
    case "loading":
      return process.deadlineMs;
    case "stopping":
      return process.killAtMs;
    case "requested":
    case "ready":
    case "gone":
    case "retired":
      return undefined;
  }
}

function processOf({ fleet }: Scene): PreloaderProcess {
  const process = fleet.preloaders[0]?.process;
  if (process === undefined) throw new Error("there is no preloader");
  return process;
}
