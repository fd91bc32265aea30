/** What a process holds, by the kernel's word. */
import { readFileSync } from "node:fs";
import { readProcessStat } from "../../src/system/process-table.ts";
import { childrenOf, descriptorsOf } from "../helpers/processes.ts";
import { waitUntil } from "../helpers/wait.ts";

/** Private memory in bytes: what is mapped from files is Bun's own text, and comes and goes with the machine's mood. */
export function privateBytesOf(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

export function countDescriptors(pid: number): number {
  return Object.keys(descriptorsOf(pid)).length;
}

/** The children that have ended and that nobody has waited for. */
export function zombiesOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => readProcessStat(child)?.state === "Z");
}

/** A zombie is there for a moment after every exit; what counts is that none stays. */
export async function expectNoZombies(pid: number): Promise<void> {
  await waitUntil(
    () => zombiesOf(pid).length === 0,
    () => `the zombies ${zombiesOf(pid)} of ${pid} to be reaped`,
  );
}

/** The pid that a process has for itself, in the innermost pid namespace that it is in. */
export function namespacePidOf(pid: number): number {
  const [, pids = ""] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(pids.split(/\s+/).at(-1));
}
