/** What /proc tells about a process, for tests that look at workers from outside. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readProcessStat } from "../../src/system/process-table.ts";

/** A zombie is as good as gone: it does nothing and holds nothing. */
export function isAlive(pid: number): boolean {
  const state = readProcessStat(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Empty for a process that is gone, as it is for a zombie. */
export function argumentsOf(pid: number): readonly string[] {
  const read = () => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  return unlessGone(read) ?? [];
}

export function environmentOf(pid: number): Readonly<Record<string, string>> {
  const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").slice(0, -1);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

export function folderOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/cwd`);
}

/** What each open descriptor leads to: `/dev/null`, `socket:[123]`, `pipe:[456]`. */
export function descriptorsOf(pid: number): Readonly<Record<string, string>> {
  const numbers = readdirSync(`/proc/${pid}/fd`);
  const targets = numbers.map((number) => [
    number,
    unlessGone(() => readlinkSync(`/proc/${pid}/fd/${number}`)),
  ]);
  return Object.fromEntries(targets.filter(([, target]) => target !== undefined));
}

export type SignalMasks = { readonly blocked: bigint; readonly ignored: bigint; readonly caught: bigint };

/** Bit n - 1 stands for signal n (proc_pid_status(5)). */
export function signalMasksOf(pid: number): SignalMasks {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1]}`);
  return { blocked: mask("SigBlk"), ignored: mask("SigIgn"), caught: mask("SigCgt") };
}

export function catches(pid: number, signal: number): boolean {
  return (signalMasksOf(pid).caught & (1n << BigInt(signal - 1))) !== 0n;
}

/** Soft and hard limit of open descriptors. */
export function openFileLimitsOf(pid: number): readonly number[] {
  const line = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"));
  return (line?.slice(1) ?? []).map(Number);
}

/** Direct children, zombies included. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => readProcessStat(child)?.parent === pid);
}

/** A process may end, or close a descriptor, between the look at a folder and the look at what is in it. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
