/** What a process takes of the machine, by /proc. */
import { readFileSync } from "node:fs";
import { descriptorsOf } from "../../helpers/processes.ts";

/** Pages that nobody else has (proc_pid_smaps(5)): what would be free if it ended. */
export function privateBytesOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kibibytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].map(([, count]) => Number(count));
  return kibibytes.reduce((sum, count) => sum + count, 0) * 1024;
}

/** The most that was ever resident (VmHWM, proc_pid_status(5)). */
export function peakBytesOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

export function countDescriptorsOf(pid: number): number {
  return Object.keys(descriptorsOf(pid)).length;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
