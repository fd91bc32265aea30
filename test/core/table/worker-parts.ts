/** What the tables of workers have in common: the fleet has one set with one slot, and that slot is looked at. */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { Event } from "../../../src/core/event.ts";
import type { DeathHistory } from "../../../src/core/restart-intensity.ts";
import type { Occupant } from "../../../src/core/worker.ts";
import { hangUp, newest, occupantOf, post, quit, type Scene, terminate } from "../support/scene.ts";
import type { Described } from "./cell.ts";

export type WorkerEventName =
  | "workerLaunched"
  | "workerLaunchFailed"
  | "workerLaunchShort"
  | "workerAcked"
  | "workerExited"
  | "notDue"
  | "due"
  | "stopRequested"
  | "killRequested"
  | "signalReceived";

function shortOfProcesses(id: string): Event {
  return { type: "workerLaunchFailed", id, message: "no more processes", shortage: "EAGAIN" };
}

type Step = Described<(scene: Scene) => Scene>;

export const workerEvents: Readonly<Record<WorkerEventName, Step>> = {
  workerLaunched: {
    text: "`workerLaunched`",
    run: (scene) =>
      post(scene, { type: "workerLaunched", id: newest(scene), pid: 200 + scene.fleet.launches }),
  },
  workerLaunchFailed: {
    text: "`workerLaunchFailed`",
    run: (scene) => post(scene, { type: "workerLaunchFailed", id: newest(scene), message: "ENOENT" }),
  },
  workerLaunchShort: {
    text: "`workerLaunchFailed`, for a shortage",
    run: (scene) => post(scene, shortOfProcesses(newest(scene))),
  },
  workerAcked: {
    text: "`workerAcked`",
    run: (scene) => post(scene, { type: "workerAcked", id: newest(scene) }),
  },
  workerExited: {
    text: "`workerExited`",
    run: (scene) =>
      post(scene, { type: "workerExited", id: newest(scene), exit: { kind: "exited", code: 1 } }),
  },
  notDue: {
    text: "`deadlineReached`, a millisecond before its own",
    run: (scene) => reachDeadline(scene, -1),
  },
  due: { text: "`deadlineReached`, its own", run: (scene) => reachDeadline(scene, 0) },
  stopRequested: { text: "`stopRequested`", run: (scene) => post(scene, terminate) },
  killRequested: { text: "`killRequested`", run: (scene) => post(scene, quit) },
  signalReceived: { text: "`signalReceived`", run: (scene) => post(scene, hangUp) },
};

/** A worker without a deadline of its own is told the time that it is. */
function reachDeadline(scene: Scene, offsetMs: number): Scene {
  const dueMs = deadlineOf(occupantOf(scene));
  const nowMs = dueMs === undefined ? scene.nowMs : dueMs + offsetMs;
  const earliest = nextDeadline(scene.fleet);
  if (dueMs !== undefined && earliest !== dueMs) throw new Error(`${earliest} comes before ${dueMs}`);
  return post({ ...scene, nowMs }, { type: "deadlineReached" });
}

function deadlineOf(occupant: Occupant): number | undefined {
  switch (occupant.phase) {
    case "backingOff":
      return occupant.untilMs;
    case "requested":
      return occupant.deadlineMs;
    case "launched":
      return occupant.ackDeadlineMs;
    case "stopping":
      return occupant.killAtMs;
    case "vacant":
    case "abandoned":
    case "ready":
      return undefined;
  }
}

export function workerPhase(scene: Scene): string {
  const occupant = occupantOf(scene);
  return occupant.phase === "stopping" && occupant.killAtMs === undefined ? "killed" : occupant.phase;
}

export function workerDeaths({ fleet }: Scene): DeathHistory {
  return fleet.sets[0]?.deaths ?? [];
}
