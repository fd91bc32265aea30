import { readdirSync, readFileSync } from "node:fs";
import { errorCode } from "../error-code.ts";

/** What proc_pid_stat(5) tells of a process. */
export type ProcessStat = {
  /** `R`, `S`, … and `Z` for a zombie. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
};

/** undefined when there is no such process (any more), or no /proc. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseProcessStat(text);
}

/**
 * The second field is the program's name in parentheses, and a program may call itself `x) R 1 (`: only what follows
 * the last parenthesis can be trusted.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const [state, parent, group, session] = text
    .slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ");
  if (state === undefined || session === undefined) return undefined;
  return { state, parent: Number(parent), group: Number(group), session: Number(session) };
}

/**
 * The pids of our direct children, zombies included; empty without /proc. Kernels built with CONFIG_PROC_CHILDREN list
 * them by thread; elsewhere every process is asked for its parent.
 */
export function listChildren(proc = "/proc"): number[] {
  return listByThread(`${proc}/self/task`) ?? listByParent();
}

function listByThread(threads: string): number[] | undefined {
  const children: number[] = [];
  for (const thread of readProcFolder(threads)) {
    const text = readProcFile(`${threads}/${thread}/children`);
    // The main thread always is: without the file there, this kernel has none. Any other may just have ended.
    if (text === undefined && thread === String(process.pid)) return undefined;
    if (text !== undefined) children.push(...text.split(" ").filter(isPid).map(Number));
  }
  return children;
}

function listByParent(): number[] {
  const processes = readProcFolder("/proc").filter(isPid).map(Number);
  return processes.filter((pid) => readProcessStat(pid)?.parent === process.pid);
}

function isPid(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function readProcFile(path: string): string | undefined {
  return absentIfGone(() => readFileSync(path, "latin1"));
}

function readProcFolder(path: string): string[] {
  return absentIfGone(() => readdirSync(path)) ?? [];
}

/**
 * A process may vanish before its file is opened (ENOENT) or before it is read (ESRCH), and may be hidden (EACCES, EPERM).
 * Where the machine has no descriptor or no memory left for a look, nothing is seen either: an ack that can't be
 * proved is refused, an orphan is found at the next look; neither is worth the end of all workers.
 */
const unseen: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ESRCH",
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
]);

function absentIfGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (unseen.has(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
