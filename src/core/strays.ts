/** What a worker or preloader leaves in its process group when it exits. */
import { request, type Turn } from "./turn.ts";

/** Strays keep ports and descriptors: TERM now, KILL after `graceMs`, unless `groupGone` says that there are none. */
export function sweepGroup(turn: Turn, pgid: number, graceMs: number): void {
  request(turn, { type: "signalGroup", pgid, signal: "SIGTERM" });
  const strays = [...turn.fleet.strays, { pgid, killAtMs: turn.nowMs + graceMs }];
  turn.fleet = { ...turn.fleet, strays };
}

/**
 * The group is gone: because `groupGone` says so, or because a new process has its number. Linux gives no number to a
 * process while a group still has it, so a KILL for the old group would hit the newcomer's.
 */
export function forgetStray(turn: Turn, pgid: number): void {
  const strays = turn.fleet.strays.filter((stray) => stray.pgid !== pgid);
  turn.fleet = { ...turn.fleet, strays };
}

export function killDueStrays(turn: Turn): void {
  const due = turn.fleet.strays.filter((stray) => stray.killAtMs <= turn.nowMs);
  if (due.length === 0) return;
  for (const { pgid } of due) request(turn, { type: "signalGroup", pgid, signal: "SIGKILL" });
  const strays = turn.fleet.strays.filter((stray) => stray.killAtMs > turn.nowMs);
  turn.fleet = { ...turn.fleet, strays };
}
