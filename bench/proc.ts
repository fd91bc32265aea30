/** What /proc says about a process and its descendants (proc(5)). A process that is gone yields undefined or nothing. */
import { readdirSync, readFileSync } from "node:fs";

/** Kilobytes, of one process or summed over several. */
export type Memory = {
  /** Proportional set: shared pages divided by the number of processes that map them. */
  readonly pss: number;
  /** Written to by this process alone: its heap. What the kernel can't take away without swap. */
  readonly privateDirty: number;
  /** Mapped from files by this process alone and unchanged: mostly the code of its program. */
  readonly privateClean: number;
  readonly rss: number;
};

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return "";
    throw error;
  }
}

function listOrNothing(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return [];
    throw error;
  }
}

/** Direct children. Each thread has a list of its own: those that it forked. */
export function childrenOf(pid: number): readonly number[] {
  return listOrNothing(`/proc/${pid}/task`).flatMap((thread) =>
    readOrNothing(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

/** The process itself, then everything below it. */
export function treeOf(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

export function memoryOf(pid: number): Memory {
  const rollup = readOrNothing(`/proc/${pid}/smaps_rollup`);
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
  return {
    pss: field("Pss"),
    privateDirty: field("Private_Dirty"),
    privateClean: field("Private_Clean"),
    rss: field("Rss"),
  };
}

export function addMemory(parts: readonly Memory[]): Memory {
  const sum = (field: keyof Memory) => parts.reduce((total, part) => total + part[field], 0);
  return {
    pss: sum("pss"),
    privateDirty: sum("privateDirty"),
    privateClean: sum("privateClean"),
    rss: sum("rss"),
  };
}

export function openDescriptorsOf(pid: number): number {
  return listOrNothing(`/proc/${pid}/fd`).length;
}

export function threadsOf(pid: number): number {
  return listOrNothing(`/proc/${pid}/task`).length;
}

/** The program's name; empty for a process that is gone. */
export function commandOf(pid: number): string {
  return readOrNothing(`/proc/${pid}/comm`).trim();
}

/** Linux counts in hundredths of a second wherever it tells user space (proc(5), sysconf(3)). */
const tickMs = 10;

/** The fields of /proc/PID/stat from the third on; the second, the name in parentheses, may contain anything. */
function statFieldsOf(pid: number): readonly string[] {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Milliseconds of processor time, of the process and of those of its children that it has waited for. */
export function processorTimeOf(pid: number): number {
  const times = statFieldsOf(pid).slice(11, 15).map(Number);
  return times.reduce((sum, ticks) => sum + ticks, 0) * tickMs;
}

/** Clock ticks since boot: with the pid, what tells a process from a later one of the same pid. Undefined if gone. */
export function startTimeOf(pid: number): string | undefined {
  const fields = statFieldsOf(pid);
  return fields[0] === "Z" ? undefined : fields[19];
}
