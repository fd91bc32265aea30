/** What happens to a preloader. What an earlier generation says is stale and dropped, knowingly. */
import { assertNever } from "./assert-never.ts";
import { backOff, putOff } from "./backoff.ts";
import { counted, fault, vacate } from "./death.ts";
import type { Ended, Event, PreloaderRef, Shortage } from "./event.ts";
import { describeExit, type ExitStatus } from "./exit-status.ts";
import { eachWorker, isStop, type Preloader, type PreloaderProcess } from "./fleet.ts";
import { killPreloader } from "./kill.ts";
import type { Fields } from "./log-event.ts";
import { addDeath, isTooMany } from "./restart-intensity.ts";
import { forgetStray, sweepGroup } from "./strays.ts";
import {
  changePreloader,
  drawRandom,
  elapsedMs,
  preloaderAt,
  report,
  request,
  setAt,
  type Turn,
  workerFields,
} from "./turn.ts";

export function onPreloaderLaunched(turn: Turn, ref: PreloaderRef, pid: number): void {
  const current = findCurrent(turn, ref);
  // A stop retires a preloader only once its launch is answered, so there is no other phase to be in.
  if (current?.process.phase !== "requested") return;
  forgetStray(turn, pid);
  const deadlineMs = turn.nowMs + current.limits.loadTimeoutMs;
  const process = { phase: "loading", pid, launchedAtMs: turn.nowMs, deadlineMs } as const;
  changePreloader(turn, ref.preloader, { process, shortage: undefined });
  report(turn, "info", "preloader launched", preloaderFields(turn, ref, pid));
  if (turn.fleet.phase.kind === "killing") killPreloader(turn, ref.preloader, "shutdown");
  else if (isStop(turn.fleet.phase)) stopPreloader(turn, ref.preloader, "shutdown");
}

export function onPreloaderLaunchFailed(
  turn: Turn,
  failure: Extract<Event, { type: "preloaderLaunchFailed" }>,
): void {
  const current = findCurrent(turn, failure);
  if (current?.process.phase !== "requested") return;
  const { preloader, shortage, message } = failure;
  const fields = { ...preloaderFields(turn, failure), error: message };
  if (shortage !== undefined) return putOffPreloader(turn, preloader, current, shortage, fields);
  report(turn, "error", "preloader launch failed", fields);
  changePreloader(turn, preloader, { shortage: undefined });
  endGeneration(turn, preloader, "launch failed", false);
}

/** As a worker's launch that is put off (death.ts). Nothing has been asked of this generation yet. */
function putOffPreloader(
  turn: Turn,
  index: number,
  { shortage: before, backoff, limits }: Preloader,
  shortage: Shortage,
  fields: Fields,
): void {
  report(turn, before === shortage ? "debug" : "error", "preloader launch put off", {
    ...fields,
    reason: shortage,
  });
  if (isStop(turn.fleet.phase) || !isWanted(turn, index)) return retire(turn, index);
  const next = putOff(backoff, limits.restart, turn.nowMs, drawRandom(turn));
  const process = { phase: "waiting", untilMs: next.retryAtMs } as const;
  changePreloader(turn, index, { backoff: next, process, shortage });
}

function isWanted(turn: Turn, index: number): boolean {
  return turn.fleet.sets.some((set) => set.limits.preloader === index && !set.isFaulted);
}

function retire(turn: Turn, index: number): void {
  changePreloader(turn, index, { process: { phase: "retired" } });
}

/**
 * Ruby loses a signal that comes in the first moments of its start, when it has its handlers already and nothing yet that
 * would look. So who has been asked to go, and says hello, is asked again; its grace period is that of the first time.
 */
export function onPreloaderConnected(turn: Turn, ref: PreloaderRef): void {
  const current = findCurrent(turn, ref);
  if (current?.process.phase !== "stopping" || current.process.killAtMs === undefined) return;
  request(turn, { type: "signalProcess", pid: current.process.pid, signal: "SIGTERM" });
}

export function onPreloaderReady(turn: Turn, ref: PreloaderRef): void {
  const current = findCurrent(turn, ref);
  // `ready` again, or after it was asked to go: the decision stands.
  if (current?.process.phase !== "loading") return;
  const { pid, launchedAtMs } = current.process;
  changePreloader(turn, ref.preloader, { process: { phase: "ready", pid, launchedAtMs } });
  const fields = preloaderFields(turn, ref, pid);
  report(turn, "info", "preloader ready", { ...fields, load_ms: elapsedMs(turn, launchedAtMs) });
}

/** The load failed and the preloader says why: one event with the whole backtrace. Its exit follows. */
export function onPreloaderFailed(turn: Turn, ref: PreloaderRef, message: string, backtrace: string): void {
  const current = findCurrent(turn, ref);
  if (current === undefined) return;
  const { process } = current;
  const isAsked = "cause" in process && process.cause === "shutdown";
  const pid = "pid" in process ? process.pid : undefined;
  const fields = { ...preloaderFields(turn, ref, pid), reason: firstLine(message), error: backtrace };
  report(turn, isAsked ? "info" : "error", "preloader could not load the code", fields);
}

export function onPreloaderDisconnected(turn: Turn, ref: PreloaderRef, reason: string): void {
  const current = findCurrent(turn, ref);
  if (current === undefined) return;
  const { phase } = current.process;
  if (phase !== "loading" && phase !== "ready") return;
  report(turn, "error", "preloader lost its connection", { ...preloaderFields(turn, ref), reason });
  stopPreloader(turn, ref.preloader, "lost its connection");
}

/** The kernel may give its pid to anybody from now on: whatever has to be done by that number is done now, or never. */
export function onPreloaderGone(turn: Turn, ref: PreloaderRef): void {
  const current = findCurrent(turn, ref);
  const { process } = current ?? {};
  if (process?.phase !== "loading" && process?.phase !== "ready" && process?.phase !== "stopping") return;
  changePreloader(turn, ref.preloader, { process: goneFrom(process) });
  sweepPreloadersGroup(turn, ref, process.pid);
}

type Living = Extract<PreloaderProcess, { phase: "loading" | "ready" | "stopping" }>;
type Gone = Extract<PreloaderProcess, { phase: "gone" }>;

function goneFrom(process: Living): Gone {
  const { pid, launchedAtMs, phase: was } = process;
  const [cause, isKilled] =
    was === "stopping" ? [process.cause, process.killAtMs === undefined] : [undefined, false];
  return { phase: "gone", pid, launchedAtMs, was, cause, isKilled };
}

function sweepPreloadersGroup(turn: Turn, ref: PreloaderRef, pid: number): void {
  sweepGroup(turn, pid, preloaderAt(turn.fleet, ref.preloader).limits.stopTimeoutMs);
}

export function onPreloaderExited(turn: Turn, ref: PreloaderRef, ended: Ended): void {
  const { exit, oomKills } = ended;
  const current = findCurrent(turn, ref);
  if (current === undefined) return;
  const { process } = current;
  switch (process.phase) {
    case "requested": // The exit overtook the announcement of the pid, which `onPreloaderLaunched` will find stale.
      report(turn, "error", "preloader died", {
        ...preloaderFields(turn, ref),
        exit: describeExit(exit),
        oom_kills: oomKills,
        was: process.phase,
        asked: false,
        age_ms: elapsedMs(turn, process.requestedAtMs),
      });
      return endGeneration(turn, ref.preloader, describeExit(exit), false);
    case "loading":
    case "ready":
    case "stopping":
      reportEnd(turn, ref, goneFrom(process), ended);
      sweepPreloadersGroup(turn, ref, process.pid);
      return buryPreloader(turn, ref, goneFrom(process), exit);
    case "gone":
      reportEnd(turn, ref, process, ended);
      return buryPreloader(turn, ref, process, exit);
    case "waiting":
    case "retired":
      return; // No process that could exit: only a repeated event says so.
    default:
      return assertNever(process);
  }
}

function reportEnd(turn: Turn, ref: PreloaderRef, process: Gone, { exit, oomKills }: Ended): void {
  const asked = process.cause === "shutdown";
  const { was, cause } = process;
  const names = preloaderFields(turn, ref, process.pid);
  const age_ms = elapsedMs(turn, process.launchedAtMs);
  // One that we asked to go may have been killed by us.
  const oom_kills = cause === undefined ? oomKills : undefined;
  const fields = { ...names, exit: describeExit(exit), oom_kills, was, cause, asked, age_ms };
  if (!asked) report(turn, "error", "preloader died", fields);
  else if (process.isKilled) report(turn, "warning", "preloader killed", fields);
  else report(turn, "info", "preloader stopped", fields);
}

function buryPreloader(turn: Turn, ref: PreloaderRef, { cause }: Gone, exit: ExitStatus): void {
  endGeneration(turn, ref.preloader, cause ?? describeExit(exit), cause === "shutdown");
}

/** Everything asked of this generation is answered now: what was not launched never will be. */
function endGeneration(turn: Turn, index: number, cause: string, isAsked: boolean): void {
  withdrawLaunches(turn, index);
  if (isAsked || isStop(turn.fleet.phase) || !isWanted(turn, index)) return retire(turn, index);
  const { limits, ...before } = preloaderAt(turn.fleet, index);
  const deaths = addDeath(before.deaths, turn.nowMs, limits.restart.periodMs);
  const backoff = backOff(before.backoff, limits.restart, turn.nowMs, drawRandom(turn));
  const process = { phase: "waiting", untilMs: backoff.retryAtMs } as const;
  changePreloader(turn, index, { deaths, backoff, process });
  if (isTooMany(deaths, limits.restart.intensity)) {
    for (const [at, set] of turn.fleet.sets.entries()) {
      if (set.limits.preloader === index)
        fault(turn, at, `preloader: ${counted(deaths.length, "failure")}, last ${cause}`);
    }
  }
}

/**
 * A launch that dies with its preloader is no death of a worker (nothing of it ever ran: the gate kept it); the
 * preloader's own death is counted instead.
 */
function withdrawLaunches(turn: Turn, index: number): void {
  for (const { set, slot, worker } of [...eachWorker(turn.fleet)]) {
    if (setAt(turn.fleet, set).limits.preloader !== index) continue;
    if (worker.phase !== "requested" && worker.phase !== "abandoned") continue;
    const fields = workerFields(turn.fleet, set, slot, worker.id);
    report(turn, "info", "worker launch withdrawn", { ...fields, cause: "the preloader is gone" });
    vacate(turn, set, slot);
  }
}

/** TERM first: while it loads, that makes it report the backtrace of where it hangs. KILL after its grace period. */
export function stopPreloader(turn: Turn, index: number, cause: string): void {
  const { process, generation, limits } = preloaderAt(turn.fleet, index);
  if (process.phase !== "loading" && process.phase !== "ready") return;
  const { pid, launchedAtMs } = process;
  request(turn, { type: "signalProcess", pid, signal: "SIGTERM" });
  report(turn, "debug", "preloader stopping", {
    ...preloaderFields(turn, { preloader: index, generation }, pid),
    cause,
  });
  const killAtMs = turn.nowMs + limits.stopTimeoutMs;
  changePreloader(turn, index, { process: { phase: "stopping", pid, launchedAtMs, cause, killAtMs } });
}

/** A syntax error's message shows the code over several lines; the backtrace has all of them. */
function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}

function findCurrent(turn: Turn, { preloader, generation }: PreloaderRef): Preloader | undefined {
  const current = preloaderAt(turn.fleet, preloader);
  return current.generation === generation ? current : undefined;
}

export function preloaderFields(turn: Turn, { preloader, generation }: PreloaderRef, pid?: number): Fields {
  const names = turn.fleet.sets.filter((set) => set.limits.preloader === preloader).map((s) => s.limits.name);
  return { sets: names.join(","), generation, pid };
}
