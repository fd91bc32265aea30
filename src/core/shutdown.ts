/** Stopping, from every state (specification section 4). */
import { eachWorker, type Fleet, isStop, type StopPhase } from "./fleet.ts";
import { killPreloader, killWorker } from "./kill.ts";
import { preloaderFields, stopPreloader } from "./preloader-events.ts";
import { changePreloader, elapsedMs, occupy, report, request, type Turn, workerFields } from "./turn.ts";
import { isAlive, vacant } from "./worker.ts";
import { stopWorker } from "./worker-events.ts";

/** How long killed processes may take to be reaped: one in an uninterruptible sleep may never be. */
const killedGraceMs = 1000;

type StopReason = { readonly reason: string; readonly exitCode: number; readonly stopSignals?: number };

/** Begins a graceful stop; one that is under way goes on as it is. */
export function beginStop(turn: Turn, { reason, exitCode, stopSignals = 0 }: StopReason): void {
  if (isStop(turn.fleet.phase)) return;
  const { drainDelayMs, shutdownTimeoutMs } = turn.fleet.limits;
  const deadlineMs = turn.nowMs + shutdownTimeoutMs;
  const stop = { exitCode, sinceMs: turn.nowMs, deadlineMs, stopSignals, killed: 0 };
  const hasWorkers = !eachWorker(turn.fleet).next().done;
  // With no worker there is nobody whose clients would need the delay to go elsewhere.
  const untilMs = turn.nowMs + (hasWorkers ? drainDelayMs : 0);
  turn.fleet = { ...turn.fleet, phase: { kind: "draining", untilMs, ...stop } };
  report(turn, "info", "stopping", { reason, drain_ms: drainDelayMs, timeout_ms: shutdownTimeoutMs });
  abandonLaunches(turn);
}

/**
 * Nothing may be launched after a stop: launches in flight are given up, and preloaders that are loading or have
 * forks to do go at once. The others have nothing to fork and are stopped when the workers are gone.
 */
function abandonLaunches(turn: Turn): void {
  const busy = new Set<number>();
  for (const { set, slot, worker } of [...eachWorker(turn.fleet)]) {
    if (worker.phase !== "requested") continue;
    const { id, requestedAtMs, generation } = worker;
    occupy(turn, set, slot, { phase: "abandoned", id, requestedAtMs, generation, cause: "shutdown" });
    const { preloader } = turn.fleet.sets[set]?.limits ?? {};
    if (preloader !== undefined) busy.add(preloader);
  }
  for (const [index, { process }] of turn.fleet.preloaders.entries()) {
    if (process.phase === "waiting") changePreloader(turn, index, { process: { phase: "retired" } });
    if (process.phase === "loading" || busy.has(index)) stopPreloader(turn, index, "shutdown");
  }
  for (const [set, { slots }] of turn.fleet.sets.entries()) {
    for (const [slot, { occupant }] of slots.entries()) {
      if (occupant.phase === "backingOff") occupy(turn, set, slot, vacant);
    }
  }
}

/** TERM or INT: the first begins a stop, the second ends it with KILL. */
export function onStopRequested(turn: Turn, signal: string): void {
  const { phase } = turn.fleet;
  if (!isStop(phase)) return beginStop(turn, { reason: signal, exitCode: 0, stopSignals: 1 });
  if (phase.stopSignals >= 1) return killEverything(turn, `second ${signal}`);
  // The stop was begun by a fault; this is the first that the orchestrator asks for.
  turn.fleet = { ...turn.fleet, phase: { ...phase, stopSignals: 1 } };
}

export function onKillRequested(turn: Turn, signal: string): void {
  if (!isStop(turn.fleet.phase)) beginStop(turn, { reason: signal, exitCode: 0, stopSignals: 1 });
  killEverything(turn, signal);
}

function killEverything(turn: Turn, reason: string): void {
  const { phase } = turn.fleet;
  if (!isStop(phase) || phase.kind === "killing" || phase.kind === "stopped") return;
  report(turn, "warning", "killing everything that is left", {
    reason,
    after_ms: elapsedMs(turn, phase.sinceMs),
  });
  const { exitCode, sinceMs, deadlineMs, stopSignals, killed } = phase;
  const giveUpAtMs = turn.nowMs + killedGraceMs;
  const stop = { exitCode, sinceMs, deadlineMs, stopSignals, killed };
  turn.fleet = { ...turn.fleet, phase: { kind: "killing", giveUpAtMs, areChildrenGone: false, ...stop } };
  for (const place of [...eachWorker(turn.fleet)]) {
    if (isAlive(place.worker)) killWorker(turn, place, place.worker, "shutdown");
  }
  for (const index of turn.fleet.preloaders.keys()) killPreloader(turn, index, "shutdown");
  request(turn, { type: "sweepOrphans", signal: "SIGKILL" });
}

/** Moves a stop on as far as it can go now; called after every event. */
export function advanceStop(turn: Turn): void {
  for (;;) {
    const { phase } = turn.fleet;
    if (!isStop(phase) || !advanceOnce(turn, phase)) return;
  }
}

function advanceOnce(turn: Turn, phase: StopPhase): boolean {
  const hasWorkers = !eachWorker(turn.fleet).next().done;
  switch (phase.kind) {
    case "draining":
      if (hasWorkers && phase.untilMs > turn.nowMs) return false;
      enter(turn, phase, "stoppingWorkers");
      stopAllWorkers(turn);
      return true;
    case "stoppingWorkers":
      if (hasWorkers) return false;
      enter(turn, phase, "stoppingPreloaders");
      for (const index of turn.fleet.preloaders.keys()) stopPreloader(turn, index, "shutdown");
      return true;
    case "stoppingPreloaders":
      if (!arePreloadersGone(turn.fleet)) return false;
      enter(turn, phase, "sweepingOrphans");
      request(turn, { type: "sweepOrphans", signal: "SIGTERM" });
      return true;
    case "killing":
      if (!phase.areChildrenGone || hasWorkers || !arePreloadersGone(turn.fleet)) return false;
      finish(turn, phase);
      return true;
    case "sweepingOrphans": // Ends by `childrenGone` or at the deadline.
    case "stopped":
      return false;
  }
}

function enter(
  turn: Turn,
  phase: StopPhase,
  kind: "stoppingWorkers" | "stoppingPreloaders" | "sweepingOrphans",
): void {
  const { exitCode, sinceMs, deadlineMs, stopSignals, killed } = phase;
  turn.fleet = { ...turn.fleet, phase: { kind, exitCode, sinceMs, deadlineMs, stopSignals, killed } };
}

function stopAllWorkers(turn: Turn): void {
  for (const { set, slot, worker } of [...eachWorker(turn.fleet)]) {
    if (worker.phase === "launched" || worker.phase === "ready")
      stopWorker(turn, set, slot, worker, "shutdown");
  }
}

function arePreloadersGone(fleet: Fleet): boolean {
  return fleet.preloaders.every(({ process }) => process.phase === "retired");
}

export function onChildrenGone(turn: Turn): void {
  const { phase } = turn.fleet;
  if (phase.kind === "sweepingOrphans") finish(turn, phase);
  if (phase.kind === "killing") {
    turn.fleet = { ...turn.fleet, phase: { ...phase, areChildrenGone: true } };
  }
}

function finish(turn: Turn, phase: StopPhase): void {
  const { exitCode, sinceMs, deadlineMs, stopSignals, killed } = phase;
  const stop = { exitCode, sinceMs, deadlineMs, stopSignals, killed };
  turn.fleet = { ...turn.fleet, phase: { kind: "stopped", ...stop } };
  report(turn, killed > 0 ? "warning" : "info", "stopped", {
    killed,
    stop_ms: elapsedMs(turn, sinceMs),
    exit_status: exitCode,
  });
  request(turn, { type: "exit", code: exitCode });
}

/** The stop's own deadlines: everything left is killed; what can't even be killed is left behind and named. */
export function checkStopDeadlines(turn: Turn): void {
  const { phase } = turn.fleet;
  if (!isStop(phase) || phase.kind === "stopped") return;
  if (phase.kind !== "killing") {
    if (phase.deadlineMs <= turn.nowMs) killEverything(turn, "shutdown timeout");
    return;
  }
  if (phase.giveUpAtMs > turn.nowMs) return;
  nameUnreaped(turn);
  finish(turn, phase);
}

function nameUnreaped(turn: Turn): void {
  for (const { set, slot, worker } of eachWorker(turn.fleet)) {
    const pid = isAlive(worker) ? worker.pid : undefined;
    const fields = workerFields(turn.fleet, set, slot, worker.id, pid);
    report(turn, "error", "worker could not be reaped after KILL", fields);
  }
  for (const [preloader, { process, generation }] of turn.fleet.preloaders.entries()) {
    if (process.phase === "retired" || process.phase === "gone") continue;
    const pid = "pid" in process ? process.pid : undefined;
    const fields = preloaderFields(turn, { preloader, generation }, pid);
    report(turn, "error", "preloader could not be reaped after KILL", fields);
  }
}
