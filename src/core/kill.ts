/** KILL: for what did not go when it was asked. */
import { changePreloader, occupy, preloaderAt, request, type Turn } from "./turn.ts";
import type { StopCause, Stoppable, Stopping } from "./worker.ts";

/** To the process as well as to its group: a forked worker that hangs in a hook may not lead a group of its own yet. */
function killTree(turn: Turn, pid: number): void {
  request(turn, { type: "signalGroup", pgid: pid, signal: "SIGKILL" });
  request(turn, { type: "signalProcess", pid, signal: "SIGKILL" });
}

type Killable = Stoppable | Stopping;
type Place = { readonly set: number; readonly slot: number };

/**
 * The first cause is kept: a worker that was stopping already goes for the reason that it was asked to. One that has
 * got its KILL and is not reaped yet is left as it is: a second one does nothing, and would be counted.
 */
export function killWorker(turn: Turn, place: Place, worker: Killable, cause: StopCause): void {
  if ("killAtMs" in worker && worker.killAtMs === undefined) return;
  killTree(turn, worker.pid);
  const { id, pid, launchedAtMs } = worker;
  const before = { sinceMs: turn.nowMs, cause, ...("cause" in worker ? pick(worker) : {}) };
  occupy(turn, place.set, place.slot, {
    phase: "stopping",
    id,
    pid,
    launchedAtMs,
    killAtMs: undefined,
    ...before,
  });
  countKilled(turn);
}

function pick({ sinceMs, cause }: Stopping): { sinceMs: number; cause: StopCause } {
  return { sinceMs, cause };
}

export function killPreloader(turn: Turn, index: number, cause: string): void {
  const { process } = preloaderAt(turn.fleet, index);
  if (process.phase !== "loading" && process.phase !== "ready" && process.phase !== "stopping") return;
  if (process.phase === "stopping" && process.killAtMs === undefined) return;
  killTree(turn, process.pid);
  const { pid, launchedAtMs } = process;
  const firstCause = process.phase === "stopping" ? process.cause : cause;
  const stopping = { phase: "stopping", pid, launchedAtMs, cause: firstCause, killAtMs: undefined } as const;
  changePreloader(turn, index, { process: stopping });
  countKilled(turn);
}

function countKilled(turn: Turn): void {
  const { phase } = turn.fleet;
  if (phase.kind === "idle" || phase.kind === "serving") return;
  turn.fleet = { ...turn.fleet, phase: { ...phase, killed: phase.killed + 1 } };
}
