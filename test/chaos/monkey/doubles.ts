/** Looks, in /proc alone, for two workers that have one slot at one time. */
import { readFileSync } from "node:fs";
import { readProcessStat } from "../../../src/system/process-table.ts";
import { argumentsOf, childrenOf, environmentOf } from "../../helpers/processes.ts";
import { programs } from "./fleet.ts";

type Seen = { readonly pid: number; readonly place: string; readonly startedAt: string };

/** @returns what is wrong: `web.1 is 4711 and 4712`. */
export function findDoubles(supervisor: number): readonly string[] {
  const byPlace = new Map<string, Seen>();
  const doubles: string[] = [];
  for (const seen of childrenOf(supervisor).flatMap(seeWorker)) {
    const other = byPlace.get(seen.place);
    byPlace.set(seen.place, seen);
    // The one may have gone before the other came: only if it is still there were there two.
    if (other !== undefined && startOf(other.pid) === other.startedAt && isThere(other.pid))
      doubles.push(`${seen.place} is ${other.pid} and ${seen.pid}`);
  }
  return doubles;
}

function seeWorker(pid: number): readonly Seen[] {
  const startedAt = startOf(pid);
  const place = isThere(pid) ? placeOf(pid) : undefined;
  return place === undefined || startedAt === undefined ? [] : [{ pid, place, startedAt }];
}

/**
 * Ruby by its title, a program by its environment. What a worker has forked and left to us has the same, but leads no
 * session; a daemon does, and says so.
 */
function placeOf(pid: number): string | undefined {
  if (readProcessStat(pid)?.session !== pid) return undefined;
  const [, titled] = /^kleinhirn: it (\S+\.\d+) (starting|ready)/.exec(argumentsOf(pid)[0] ?? "") ?? [];
  if (titled !== undefined) return titled;
  try {
    const { KLEINHIRN_SET: set = "", KLEINHIRN_WORKER_SLOT: slot, DAEMON: daemon } = environmentOf(pid);
    return daemon === undefined && programs.includes(set) ? `${set}.${slot}` : undefined;
  } catch {
    return undefined; // Gone.
  }
}

/** Together with the pid it names a process for good: field 22 of proc_pid_stat(5). */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function isThere(pid: number): boolean {
  const state = readProcessStat(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}
