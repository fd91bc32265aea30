/** What happens to one worker: a function an event, each deciding by the worker's phase. */
import { assertNever } from "./assert-never.ts";
import { putOffLaunch, recordDeath, vacate } from "./death.ts";
import type { Ended, Event, Shortage, WorkerEnded, WorkerId } from "./event.ts";
import { describeExit } from "./exit-status.ts";
import { findWorker, type WorkerPlace } from "./fleet.ts";
import { killWorker } from "./kill.ts";
import type { Fields } from "./log-event.ts";
import { forgetStray, sweepGroup } from "./strays.ts";
import { changeSet, elapsedMs, occupy, report, request, setAt, type Turn, workerFields } from "./turn.ts";
import type { Abandoned, Launched, Ready, Requested, StopCause, Stoppable, Stopping } from "./worker.ts";

export function onWorkerLaunched(turn: Turn, id: WorkerId, pid: number): void {
  const place = findWorker(turn.fleet, id);
  // Its exit was seen first, or its launch was given up with the preloader: there is no such worker any more.
  if (place === undefined) return;
  const { worker } = place;
  switch (worker.phase) {
    case "requested":
      return launch(turn, place, worker, pid);
    case "abandoned":
      return stopLateWorker(turn, place, worker, pid);
    case "launched":
    case "ready":
    case "stopping":
      return; // Announced twice: the first announcement holds.
    default:
      return assertNever(worker);
  }
}

function launch(turn: Turn, { set, slot }: WorkerPlace, worker: Requested, pid: number): void {
  const { needsAck, ackTimeoutMs } = setAt(turn.fleet, set).limits;
  forgetStray(turn, pid);
  const fields = workerFields(turn.fleet, set, slot, worker.id, pid);
  report(turn, "info", "worker launched", { ...fields, launch_ms: elapsedMs(turn, worker.requestedAtMs) });
  const launched: Launched = {
    phase: "launched",
    id: worker.id,
    pid,
    launchedAtMs: turn.nowMs,
    ackDeadlineMs: needsAck && ackTimeoutMs !== undefined ? turn.nowMs + ackTimeoutMs : undefined,
  };
  occupy(turn, set, slot, launched);
  changeSet(turn, set, { shortage: undefined });
  if (!needsAck) becomeReady(turn, set, slot, launched);
}

function stopLateWorker(turn: Turn, { set, slot }: WorkerPlace, worker: Abandoned, pid: number): void {
  const fields = workerFields(turn.fleet, set, slot, worker.id, pid);
  report(turn, "info", "worker launched too late", { ...fields, cause: worker.cause });
  forgetStray(turn, pid);
  const { id, cause } = worker;
  const late = { id, pid, launchedAtMs: turn.nowMs };
  const killing = turn.fleet.phase.kind === "killing";
  if (killing) killWorker(turn, { set, slot }, late, cause);
  else stopWorker(turn, set, slot, late, cause);
}

export function onWorkerAcked(turn: Turn, id: WorkerId): void {
  const place = findWorker(turn.fleet, id);
  // It acked and died, and the exit was seen first. Its death has been counted; the ack changes nothing.
  if (place === undefined) return;
  const { set, slot, worker } = place;
  switch (worker.phase) {
    case "launched":
      return becomeReady(turn, set, slot, worker);
    case "requested": // The shells hold an ack back until the pid is known, for they must compare the two.
    case "abandoned": // Nobody waits for it any more.
    case "ready": // Repeated: harmless.
    case "stopping": // Late: the decision that it must go stands.
      return;
    default:
      return assertNever(worker);
  }
}

function becomeReady(turn: Turn, set: number, slot: number, worker: Launched): void {
  const { id, pid, launchedAtMs } = worker;
  occupy(turn, set, slot, { phase: "ready", id, pid, launchedAtMs, readyAtMs: turn.nowMs });
  const fields = workerFields(turn.fleet, set, slot, id, pid);
  const ackMs = setAt(turn.fleet, set).limits.needsAck ? elapsedMs(turn, launchedAtMs) : undefined;
  report(turn, "info", "worker ready", { ...fields, ack_ms: ackMs });
}

type LaunchFailure = Extract<Event, { type: "workerLaunchFailed" }>;

export function onWorkerLaunchFailed(turn: Turn, { id, message, shortage }: LaunchFailure): void {
  const place = findWorker(turn.fleet, id);
  if (place === undefined) return; // The launch was given up with its preloader.
  const { set, slot, worker } = place;
  switch (worker.phase) {
    case "requested":
      failLaunch(turn, place, { ...workerFields(turn.fleet, set, slot, id), error: message }, shortage);
      return vacate(turn, set, slot);
    case "abandoned": // What it is abandoned for has been counted, or is a stop.
      reportAbandoned(turn, place, worker, { error: message });
      return vacate(turn, set, slot);
    case "launched":
    case "ready":
    case "stopping":
      return; // It has a pid, so it was launched; only its exit ends it.
    default:
      return assertNever(worker);
  }
}

function failLaunch(turn: Turn, { set, slot }: WorkerPlace, fields: Fields, shortage?: Shortage): void {
  if (shortage !== undefined) return putOffLaunch(turn, set, slot, shortage, fields);
  report(turn, "error", "worker launch failed", fields);
  changeSet(turn, set, { shortage: undefined });
  recordDeath(turn, set, slot, "launch failed");
}

export function onWorkerExited(turn: Turn, id: WorkerId, ended: WorkerEnded): void {
  const place = findWorker(turn.fleet, id);
  if (place === undefined) return; // Counted already.
  const { set, slot, worker } = place;
  switch (worker.phase) {
    case "requested": // The exit overtook the announcement of the pid; `workerLaunched` will find nobody.
    case "launched":
    case "ready":
      return die(turn, place, worker, ended);
    case "abandoned":
      reportAbandoned(turn, place, worker, { exit: describeExit(ended.exit) });
      return vacate(turn, set, slot);
    case "stopping":
      reportStopped(turn, place, worker, ended);
      sweepGroup(turn, worker.pid, setAt(turn.fleet, set).limits.stopTimeoutMs);
      return vacate(turn, set, slot);
    default:
      return assertNever(worker);
  }
}

function die(
  turn: Turn,
  { set, slot }: WorkerPlace,
  worker: Requested | Launched | Ready,
  { exit, oomKills, hint }: WorkerEnded,
): void {
  const cause = describeExit(exit);
  const pid = worker.phase === "requested" ? undefined : worker.pid;
  const bornAtMs = worker.phase === "requested" ? worker.requestedAtMs : worker.launchedAtMs;
  const fields = workerFields(turn.fleet, set, slot, worker.id, pid);
  report(turn, "warning", "worker died", {
    ...fields,
    exit: cause,
    oom_kills: oomKills,
    was: worker.phase,
    asked: false,
    age_ms: elapsedMs(turn, bornAtMs),
    hint: hasSurelyRun(turn, set, worker, bornAtMs) ? undefined : hint,
  });
  recordDeath(turn, set, slot, cause);
  if (pid !== undefined) sweepGroup(turn, pid, setAt(turn.fleet, set).limits.stopTimeoutMs);
  vacate(turn, set, slot);
}

/** Then its exit status is its own. An exec takes milliseconds, on a machine that pages and swaps perhaps seconds. */
const longestExecMs = 10_000;

function hasSurelyRun(
  turn: Turn,
  set: number,
  worker: Requested | Launched | Ready,
  bornAtMs: number,
): boolean {
  const hasAcked = worker.phase === "ready" && setAt(turn.fleet, set).limits.needsAck;
  return hasAcked || turn.nowMs - bornAtMs > longestExecMs;
}

function reportStopped(turn: Turn, { set, slot }: WorkerPlace, worker: Stopping, ended: Ended): void {
  const isKilled = worker.killAtMs === undefined;
  const fields = {
    ...workerFields(turn.fleet, set, slot, worker.id, worker.pid),
    exit: describeExit(ended.exit),
    // A KILL of ours needs no other explanation.
    oom_kills: isKilled ? undefined : ended.oomKills,
    cause: worker.cause,
    asked: true,
    stop_ms: elapsedMs(turn, worker.sinceMs),
    age_ms: elapsedMs(turn, worker.launchedAtMs),
  };
  if (isKilled) report(turn, "warning", "worker killed", fields);
  else report(turn, "info", "worker stopped", fields);
}

/** Its end is one event in the log as every other's, though it counts for nothing. */
function reportAbandoned(turn: Turn, { set, slot }: WorkerPlace, worker: Abandoned, how: Fields): void {
  const fields = workerFields(turn.fleet, set, slot, worker.id);
  report(turn, "info", "worker launch given up", { ...fields, ...how, cause: worker.cause, asked: true });
}

/** Asks one worker to finish. The signal goes to it alone; the KILL that may follow goes to its whole group. */
export function stopWorker(turn: Turn, set: number, slot: number, worker: Stoppable, cause: StopCause): void {
  const { stopSignal, stopTimeoutMs } = setAt(turn.fleet, set).limits;
  const { id, pid, launchedAtMs } = worker;
  request(turn, { type: "signalProcess", pid, signal: stopSignal });
  report(turn, "info", "worker stopping", { ...workerFields(turn.fleet, set, slot, id, pid), cause });
  const killAtMs = turn.nowMs + stopTimeoutMs;
  occupy(turn, set, slot, { phase: "stopping", id, pid, launchedAtMs, sinceMs: turn.nowMs, cause, killAtMs });
}
