/** Compares how workers ended with what was done to them: what neither we nor they themselves did, nobody did. */
import type { LogLine } from "../../helpers/running.ts";
import type { WorkerLife } from "../log-audit.ts";
import { ownStatus } from "./fleet.ts";
import type { Strike } from "./monkey.ts";

/** The log's times are whole milliseconds. */
const roundingMs = 2;

/** A forked worker is there, and may be struck, for a while before it is announced; no pid is used again within that time. */
const announcedWithinMs = 4000;

export function compareEnds(
  lives: Iterable<WorkerLife>,
  lines: readonly LogLine[],
  strikes: readonly Strike[],
): readonly string[] {
  const launchedAt = new Map(
    lines.filter(isLaunch).map((line) => [line.worker, Date.parse(String(line.ts))]),
  );
  const preloaders = new Set(lines.filter(({ msg }) => msg === "preloader launched").map(({ pid }) => pid));
  return [...lives].flatMap(({ id, pid, end }) => {
    if (end?.msg !== "worker died") return [];
    const fromMs = (launchedAt.get(id) ?? 0) - announcedWithinMs;
    const untilMs = Date.parse(String(end.ts)) + roundingMs;
    const within = strikes.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs);
    const own = within.filter((strike) => strike.pid === pid);
    // A preloader that goes takes with it whom it has announced and not yet let through the gate.
    const isTakenAlong = end.was === "launched" && within.some((strike) => preloaders.has(strike.pid));
    if (isTakenAlong || isExplained(String(end.exit), own)) return [];
    return [`${JSON.stringify(end)} after ${JSON.stringify(own)}`];
  });
}

/** Of several strikes any may have been the one; nothing survives a KILL. */
function isExplained(exit: string, strikes: readonly Strike[]): boolean {
  if (exit === `status ${ownStatus}`) return true;
  const [first, ...others] = strikes;
  if (first === undefined) return false;
  return others.length > 0 || first.signal !== "SIGKILL" || exit === "signal KILL";
}

function isLaunch({ msg }: LogLine): boolean {
  return msg === "worker launched" || msg === "worker launched too late";
}
