import { readdirSync, readFileSync } from "node:fs";
import { listChildren, readProcessStat } from "../../src/system/process-table.ts";
import { systemWaiter } from "../../src/system/wait.ts";

/** A zombie has ended; only its parent hasn't looked yet. */
export function isAlive(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X";
}

/** The living descendants of a process, without itself. */
export function listDescendants(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    const parent = Number.isInteger(pid) ? readProcessStat(pid)?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const look = (pid: number) => {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      look(child);
    }
  };
  look(ancestor);
  return found.filter(isAlive);
}

/**
 * Takes the exits of all children but one, as init would: a subreaper that doesn't leaves zombies, and whoever waits for
 * such a process to be gone waits forever. The one is Bun's, which takes its exit itself.
 */
export function reapOrphans(own: number): void {
  for (const pid of listChildren()) if (pid !== own) systemWaiter.reapPid(pid);
}

/** What `ps` shows; empty for a process that is gone. */
export function readTitle(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** Sends a signal to a process that may be gone by now. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Asks again and again until the answer is neither undefined nor false; rejects with `what` in its message. */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  ask: () => T | Promise<T>,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    // Reason for the cast: narrowing does not reach through a type parameter.
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await Bun.sleep(50);
  }
}
