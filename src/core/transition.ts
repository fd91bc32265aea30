/**
 * The supervisor's whole mind: what a fact makes of the fleet, and what is to be done about it. Pure: no clock, no
 * randomness, no input or output; so the very code that runs in production also runs in a simulated kernel.
 */
import { assertNever } from "./assert-never.ts";
import { checkDeadlines } from "./deadline.ts";
import type { Effect } from "./effect.ts";
import type { Event, ForwardedSignal, PreloaderRef } from "./event.ts";
import { countReady, eachWorker, type Fleet, type WorkerSet } from "./fleet.ts";
import { fillSlots, startPreloaders } from "./launching.ts";
import {
  onPreloaderConnected,
  onPreloaderDisconnected,
  onPreloaderExited,
  onPreloaderFailed,
  onPreloaderGone,
  onPreloaderLaunched,
  onPreloaderLaunchFailed,
  onPreloaderReady,
} from "./preloader-events.ts";
import { advanceStop, beginStop, onChildrenGone, onKillRequested, onStopRequested } from "./shutdown.ts";
import { forgetStray } from "./strays.ts";
import { changeSet, report, request, type Turn } from "./turn.ts";
import { onWorkerAcked, onWorkerExited, onWorkerLaunched, onWorkerLaunchFailed } from "./worker-events.ts";

export type Transition = { readonly state: Fleet; readonly effects: readonly Effect[] };

/** @param nowMs monotonic; never less than in the call before. */
export function transition(state: Fleet, event: Event, nowMs: number): Transition {
  if (state.phase.kind === "stopped") return { state, effects: [] }; // The exit is on its way; nothing matters any more.
  const turn: Turn = { fleet: state, effects: [], nowMs };
  dispatch(turn, event);
  stopIfFaulted(turn); // Before anything is launched that would have to be stopped again.
  startPreloaders(turn);
  fillSlots(turn);
  reportSets(turn);
  advanceStop(turn);
  return { state: turn.fleet, effects: turn.effects };
}

function dispatch(turn: Turn, event: Event): void {
  switch (event.type) {
    case "started":
      if (turn.fleet.phase.kind === "idle") turn.fleet = { ...turn.fleet, phase: { kind: "serving" } };
      return;
    case "workerLaunched":
      return onWorkerLaunched(turn, event.id, event.pid);
    case "workerLaunchFailed":
      return onWorkerLaunchFailed(turn, event);
    case "workerAcked":
      return onWorkerAcked(turn, event.id);
    case "workerExited":
      return onWorkerExited(turn, event.id, event);
    case "stopRequested":
      return onStopRequested(turn, event.signal);
    case "killRequested":
      return onKillRequested(turn, event.signal);
    case "signalReceived":
      return forwardSignal(turn, event.signal);
    case "groupGone":
      return forgetStray(turn, event.pgid);
    case "childrenGone":
      return onChildrenGone(turn);
    case "deadlineReached":
      return checkDeadlines(turn);
    default:
      return dispatchPreloader(turn, event);
  }
}

function dispatchPreloader(turn: Turn, event: Extract<Event, PreloaderRef>): void {
  switch (event.type) {
    case "preloaderLaunched":
      return onPreloaderLaunched(turn, event, event.pid);
    case "preloaderLaunchFailed":
      return onPreloaderLaunchFailed(turn, event);
    case "preloaderConnected":
      return onPreloaderConnected(turn, event);
    case "preloaderReady":
      return onPreloaderReady(turn, event);
    case "preloaderFailed":
      return onPreloaderFailed(turn, event, event.message, event.backtrace);
    case "preloaderDisconnected":
      return onPreloaderDisconnected(turn, event, event.reason);
    case "preloaderGone":
      return onPreloaderGone(turn, event);
    case "preloaderExited":
      return onPreloaderExited(turn, event, event);
    default:
      return assertNever(event);
  }
}

/** To every worker that has a pid and was not asked to go: a signal in the middle of its stop could upset that. */
function forwardSignal(turn: Turn, signal: ForwardedSignal): void {
  let workers = 0;
  for (const { worker } of eachWorker(turn.fleet)) {
    if (worker.phase !== "launched" && worker.phase !== "ready") continue;
    request(turn, { type: "signalProcess", pid: worker.pid, signal });
    workers += 1;
  }
  report(turn, "info", "signal passed on", { signal, workers });
}

/** `on_fault = "exit"`: let the orchestrator start a new container. */
function stopIfFaulted(turn: Turn): void {
  if (turn.fleet.limits.onFault !== "exit" || turn.fleet.phase.kind !== "serving") return;
  const faulted = turn.fleet.sets.find((set) => set.isFaulted);
  if (faulted !== undefined)
    beginStop(turn, { reason: `worker set ${faulted.limits.name} faulted`, exitCode: 1 });
}

/** One event for each change of a set between starting, running and underprovisioned. */
function reportSets(turn: Turn): void {
  if (turn.fleet.phase.kind !== "serving") return;
  for (const [index, set] of turn.fleet.sets.entries()) {
    const now = provision(set);
    if (set.isFaulted || now === set.reported) continue;
    changeSet(turn, index, { reported: now });
    const fields = { set: set.limits.name, ready: countReady(set), count: set.limits.count };
    if (now === "running") report(turn, "info", "worker set running", fields);
    else report(turn, "warning", "worker set underprovisioned", fields);
  }
}

function provision(set: WorkerSet): WorkerSet["reported"] {
  if (countReady(set) === set.limits.count) return "running";
  return set.reported === "starting" ? "starting" : "underprovisioned";
}
