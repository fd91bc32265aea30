import { writeSync } from "node:fs";
import { setCloseOnExec } from "./descriptors.ts";
import { type DescriptorRange, type ExecStepTask, parseTask, revealVariables } from "./exec-step-command.ts";
import { execStepStatus } from "./exec-step-status.ts";
import { clearSignalMask, execve, getppid, prctl, resetSignal, syscall } from "./libc.ts";
import { limitOpenFiles } from "./limits.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const deathSignal = 1; // PR_SET_PDEATHSIG
const kill = 9;
/** The two that Bun ignores for itself, PIPE and XFSZ; what is merely caught becomes default by the exec. */
const signalsIgnoredByBun: readonly number[] = [13, 25];
const closeRange = 436; // the same number on every architecture (Linux 5.9)
const markOnly = 4; // CLOSE_RANGE_CLOEXEC
const highestDescriptor = 0x7fffffff;

const statusUsage = 64;

/**
 * The step between fork and exec as a part of our own program, for where the native one can't be used: `words` are the
 * child's folder and the task. Everything has to happen in the order of native/exec-step/exec-step.c, where the
 * reasons are. Comes back, with the exit status, when the program can't be executed or this was a self-check.
 */
export function runExecStepFallback(words: readonly string[]): number {
  const [cwd, ...rest] = words;
  const task = parseTask(rest);
  if (cwd === undefined || task === undefined) {
    complain("__exec-step is for kleinhirn's own use");
    return statusUsage;
  }
  prctl(deathSignal, kill);
  if (getppid() !== task.parentPid) return execStepStatus.parentGone;
  try {
    process.chdir(cwd);
    return replaceProcess(task);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return execStepStatus.failed;
  }
}

function replaceProcess({ openFiles, keep, program }: ExecStepTask): number {
  const variables = revealVariables(process.env);
  if (variables.has("LISTEN_PID")) variables.set("LISTEN_PID", String(process.pid));
  if (openFiles !== undefined) limitOpenFiles(openFiles);
  keepOnly(keep);
  if (program === undefined) return 0;
  const environment = Array.from(variables, ([name, value]) => `${name}=${value}`);
  for (const signal of signalsIgnoredByBun) resetSignal(signal);
  clearSignalMask();
  const answer = execve(program.path, program.argv, environment);
  const code = answer.ok ? "EIO" : answer.code;
  complain(new OperatingSystemError(code, "execve", `cannot execute ${program.path}`).message);
  return code === "ENOENT" || code === "ENOTDIR" ? execStepStatus.notFound : execStepStatus.failed;
}

/**
 * Bun marks every descriptor above 3 that it finds at its start as close-on-exec: those that stay have to be told so,
 * all others are marked (not closed, they may be Bun's own).
 */
function keepOnly(keep: readonly DescriptorRange[]): void {
  let next = 3;
  for (const { first, last } of keep) {
    markRange(next, first - 1);
    for (let descriptor = first; descriptor <= last; descriptor++) setCloseOnExec(descriptor, false);
    next = last + 1;
  }
  markRange(next, highestDescriptor);
}

function markRange(first: number, last: number): void {
  if (first > last || syscall(closeRange, first, last, markOnly).ok) return;
  // Before Linux 5.9: what Bun has opened itself is marked anyway, and 3 is the one that it may have left alone.
  for (let descriptor = first; descriptor <= Math.min(last, first + 1024); descriptor++) {
    setCloseOnExec(descriptor, true);
  }
}

function complain(message: string): void {
  writeSync(2, `kleinhirn: ${message}\n`);
}
