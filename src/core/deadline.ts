/** When the core wants to be called next, and what is due then. */
import { recordDeath } from "./death.ts";
import { eachWorker, type Fleet, isStop, type WorkerPlace } from "./fleet.ts";
import { killPreloader, killWorker } from "./kill.ts";
import { preloaderFields, stopPreloader } from "./preloader-events.ts";
import { checkStopDeadlines } from "./shutdown.ts";
import { killDueStrays } from "./strays.ts";
import { elapsedMs, occupy, report, setAt, type Turn, workerFields } from "./turn.ts";
import type { Launched, Requested } from "./worker.ts";
import { stopWorker } from "./worker-events.ts";

/** The earliest monotonic millisecond at which something is due; undefined when nothing is. */
export function nextDeadline(fleet: Fleet): number | undefined {
  let earliest: number | undefined;
  for (const atMs of eachDeadline(fleet)) {
    if (atMs !== undefined && (earliest === undefined || atMs < earliest)) earliest = atMs;
  }
  return earliest;
}

function* eachDeadline(fleet: Fleet): Generator<number | undefined> {
  const { phase } = fleet;
  if (phase.kind === "idle" || phase.kind === "stopped") return;
  if (phase.kind === "draining") yield phase.untilMs;
  if (phase.kind === "killing") yield phase.giveUpAtMs;
  else if (isStop(phase)) yield phase.deadlineMs;
  for (const set of fleet.sets) {
    if (phase.kind === "serving" && !set.isFaulted) yield* eachBackoffEnd(set.slots);
  }
  for (const { set, worker } of eachWorker(fleet)) {
    if (worker.phase === "requested" && !isWithdrawn(fleet, set)) yield worker.deadlineMs;
    if (worker.phase === "launched") yield worker.ackDeadlineMs;
    if (worker.phase === "stopping") yield worker.killAtMs;
  }
  for (const { process } of fleet.preloaders) {
    if (process.phase === "waiting") yield process.untilMs;
    if (process.phase === "loading") yield process.deadlineMs;
    if (process.phase === "stopping") yield process.killAtMs;
  }
  for (const stray of fleet.strays) yield stray.killAtMs;
}

/** Its preloader is on its way out; the end of that withdraws the launch, whatever the clock says. */
function isWithdrawn(fleet: Fleet, set: number): boolean {
  const { preloader } = setAt(fleet, set).limits;
  const phase = preloader === undefined ? undefined : fleet.preloaders[preloader]?.process.phase;
  return phase === "stopping" || phase === "gone";
}

function* eachBackoffEnd(slots: Fleet["sets"][number]["slots"]): Generator<number> {
  for (const { occupant } of slots) if (occupant.phase === "backingOff") yield occupant.untilMs;
}

export function checkDeadlines(turn: Turn): void {
  for (const place of [...eachWorker(turn.fleet)]) checkWorker(turn, place);
  for (const index of turn.fleet.preloaders.keys()) checkPreloader(turn, index);
  killDueStrays(turn);
  checkStopDeadlines(turn);
}

function checkWorker(turn: Turn, place: WorkerPlace): void {
  const { worker } = place;
  const { nowMs } = turn;
  // The timeout of one launch stops the preloader, so ask anew for each: the others are withdrawn with it.
  const isTimed = worker.phase === "requested" && !isWithdrawn(turn.fleet, place.set);
  if (isTimed && worker.deadlineMs <= nowMs) onLaunchTimeout(turn, place, worker);
  if (worker.phase === "launched" && (worker.ackDeadlineMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
    onAckTimeout(turn, place, worker);
  }
  if (worker.phase === "stopping" && (worker.killAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
    const fields = workerFields(turn.fleet, place.set, place.slot, worker.id, worker.pid);
    report(turn, "warning", "worker outlasted its grace period", {
      ...fields,
      cause: worker.cause,
      stop_ms: elapsedMs(turn, worker.sinceMs),
    });
    killWorker(turn, place, worker, worker.cause);
  }
}

/** A preloader that has not answered in time hangs: it goes, and with it every launch that waits behind this one. */
function onLaunchTimeout(turn: Turn, { set, slot }: WorkerPlace, worker: Requested): void {
  const { preloader } = setAt(turn.fleet, set).limits;
  const { id, requestedAtMs, generation } = worker;
  report(turn, "error", "worker launch timed out", {
    ...workerFields(turn.fleet, set, slot, id),
    after_ms: elapsedMs(turn, requestedAtMs),
  });
  occupy(turn, set, slot, { phase: "abandoned", id, requestedAtMs, generation, cause: "late launch" });
  recordDeath(turn, set, slot, "launch timeout");
  if (preloader !== undefined) stopPreloader(turn, preloader, "launch timeout");
}

function onAckTimeout(turn: Turn, { set, slot }: WorkerPlace, worker: Launched): void {
  const { id, pid, launchedAtMs } = worker;
  report(turn, "error", "worker did not ack in time", {
    ...workerFields(turn.fleet, set, slot, id, pid),
    after_ms: elapsedMs(turn, launchedAtMs),
  });
  stopWorker(turn, set, slot, worker, "ack timeout");
  recordDeath(turn, set, slot, "ack timeout");
}

function checkPreloader(turn: Turn, index: number): void {
  const { process, generation } = turn.fleet.preloaders[index] ?? {};
  if (process === undefined || generation === undefined) return;
  if (process.phase === "loading" && process.deadlineMs <= turn.nowMs) {
    report(turn, "error", "preloader took too long to load", {
      ...preloaderFields(turn, { preloader: index, generation }, process.pid),
      after_ms: elapsedMs(turn, process.launchedAtMs),
    });
    stopPreloader(turn, index, "load timeout");
  }
  if (process.phase === "stopping" && (process.killAtMs ?? Number.POSITIVE_INFINITY) <= turn.nowMs) {
    report(turn, "warning", "preloader outlasted its grace period", {
      ...preloaderFields(turn, { preloader: index, generation }, process.pid),
      cause: process.cause,
    });
    killPreloader(turn, index, process.cause);
  }
}
