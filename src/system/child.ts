import { accessSync, constants } from "node:fs";
import { type ExitStatus, signalNumber } from "../core/exit-status.ts";
import { errorCode } from "../error-code.ts";
import { type AckDescriptor, type AckHandlers, readAckDescriptor } from "./ack-descriptor.ts";
import {
  composeLaunch,
  type DescriptorRange,
  type ExecStep,
  type ExecStepLaunch,
  listenPidPlaceholder,
} from "./exec-step-command.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import { OperatingSystemError } from "./operating-system-error.ts";
import { resolveProgram } from "./program-path.ts";

/** A program to run as our own child. */
export type ChildRequest = {
  /** Looked for as execvp(3) does, with the `PATH` of `environment`. No shell: a script needs its `#!` line. */
  readonly argv: readonly [string, ...string[]];
  /** Absolute. */
  readonly cwd: string;
  /** All of it; nothing of ours is added but what `listen` and `ack` say. */
  readonly environment: Readonly<Record<string, string>>;
  /** Soft limit of open descriptors, at most the hard one; undefined: as ours. */
  readonly openFiles: number | undefined;
  /**
   * Passed on at the same numbers; announced with `LISTEN_FDS`, `LISTEN_FDNAMES` and a `LISTEN_PID` that is the
   * child's own, unless it only keeps them for processes that it will start (a preloader).
   */
  readonly listen: (InheritedSockets & { readonly isAnnounced: boolean }) | undefined;
  /** A descriptor whose number is in the environment variable `variable`, and what becomes of what is written to it. */
  readonly ack: (AckHandlers & { readonly variable: string }) | undefined;
  /** What it reads from its standard input; undefined: nothing, it is /dev/null. */
  readonly input?: string | undefined;
  /** Called exactly once, and never before `spawnChild` has returned. */
  onExit(exit: ExitStatus): void;
};

export type SpawnedChild = { readonly pid: number; readonly ack: AckDescriptor | undefined };

/** Pids that Bun reaps. There is but one Bun in a process, so there is but one such set. */
const running = new Set<number>();

/** Whether Bun will reap the pid, so that nobody else must: from `spawnChild` until its `onExit`. */
export function isBunChild(pid: number): boolean {
  return running.has(pid);
}

/**
 * Starts a program as leader of its own session and process group, with its own input, our output, default
 * signal dispositions, an empty mask, and no other descriptor than it asks for. It dies with us, unless it is a
 * program with other privileges than ours: set-user-id and the like undo the parent death signal (prctl(2)).
 *
 * Throws an `OperatingSystemError`: `ENOENT`, `EACCES`, `E2BIG`, `EAGAIN`, `ENOMEM`, `EMFILE`… What turns out only at
 * the exec makes a child that says so on its stderr and exits with 126 or 127, as in a shell.
 */
export function spawnChild(request: ChildRequest, execStep: ExecStep): SpawnedChild {
  requireFolder(request.cwd);
  const plan = planDescriptors(request, execStep);
  const launch = planLaunch(request, execStep, plan);
  let ack: AckDescriptor | undefined;
  const finish = (pid: number, exit: ExitStatus): void => {
    running.delete(pid);
    ack?.close();
    request.onExit(exit);
  };
  let returned = false;
  const stdio: Stdio = [standardInput(request.input), "inherit", "inherit", ...plan.extra];
  const subprocess = spawnOrExplain(launch, stdio, (pid, exit) => {
    // Bun may already tell of the end while it spawns; nobody knows the pid then.
    if (returned) finish(pid, exit);
    else queueMicrotask(() => finish(pid, exit));
  });
  returned = true;
  running.add(subprocess.pid);
  if (request.ack !== undefined && plan.ack !== undefined) {
    try {
      ack = readAckDescriptor(ownEnd(subprocess.stdio[plan.ack]), request.ack);
    } catch (error) {
      // The caller will take it for never launched, so it must not live on beside its replacement.
      subprocess.kill("SIGKILL");
      throw error;
    }
  }
  return { pid: subprocess.pid, ack };
}

/** What the child has at each number from 3 on. Bun closes what is not named, and "ignore" leaves a number free. */
type Descriptors = (number | "ignore" | "socket-fd")[];

const firstExtra = 3;

type DescriptorPlan = {
  readonly extra: Descriptors;
  readonly keep: readonly DescriptorRange[];
  /** The number of the ack descriptor in the child. */
  readonly ack: number | undefined;
};

function planDescriptors({ listen, ack }: ChildRequest, execStep: ExecStep): DescriptorPlan {
  const extra: Descriptors = [];
  const keep: DescriptorRange[] = [];
  if (listen !== undefined) {
    const last = listen.firstDescriptor + listen.count - 1;
    for (let number = listen.firstDescriptor; number <= last; number++) place(extra, number, number);
    keep.push({ first: listen.firstDescriptor, last });
  }
  const number = ack === undefined ? undefined : firstFree(extra, execStep);
  if (number !== undefined) {
    place(extra, number, "socket-fd");
    keep.push({ first: number, last: number });
    keep.sort((one, other) => one.first - other.first);
  }
  saveExecStep(extra, execStep);
  return { extra, keep, ack: number };
}

/** A gap is closed before the exec, the step's own file in it too: named, it stays, and the step closes it itself. */
function saveExecStep(extra: Descriptors, execStep: ExecStep): void {
  if (execStep.kind !== "memory" || execStep.descriptor - firstExtra >= extra.length) return;
  place(extra, execStep.descriptor, execStep.descriptor);
}

function place(extra: Descriptors, number: number, value: number | "socket-fd"): void {
  while (extra.length <= number - firstExtra) extra.push("ignore");
  extra[number - firstExtra] = value;
}

/** Not the number of the step's own file, which has to be there until it is executed. */
function firstFree(extra: Descriptors, execStep: ExecStep): number {
  const taken = execStep.kind === "memory" ? execStep.descriptor : undefined;
  for (let number = firstExtra; ; number++) {
    if (number !== taken && (extra[number - firstExtra] ?? "ignore") === "ignore") return number;
  }
}

function planLaunch(request: ChildRequest, execStep: ExecStep, plan: DescriptorPlan): ExecStepLaunch {
  const { argv, cwd, environment, openFiles } = request;
  const path = resolveProgram(argv[0], cwd, environment.PATH);
  const task = { parentPid: process.pid, openFiles, keep: plan.keep, program: { path, argv } };
  return composeLaunch(execStep, task, cwd, { ...environment, ...announceDescriptors(request, plan) });
}

function announceDescriptors({ listen, ack }: ChildRequest, plan: DescriptorPlan): Record<string, string> {
  const announced: Record<string, string> = {};
  if (ack !== undefined) announced[ack.variable] = String(plan.ack);
  if (!listen?.isAnnounced) return announced;
  announced.LISTEN_PID = listenPidPlaceholder;
  announced.LISTEN_FDS = String(listen.count);
  if (listen.names !== undefined) announced.LISTEN_FDNAMES = listen.names;
  if (listen.firstDescriptor !== 3) announced.LISTEN_FDS_FIRST_FD = String(listen.firstDescriptor);
  return announced;
}

type Stdio = ["ignore" | Uint8Array, "inherit", "inherit", ...Descriptors];

/** Bun hands the bytes over in a memory file, or writes them as they are read where there is no such file. */
function standardInput(input: string | undefined): "ignore" | Uint8Array {
  return input === undefined ? "ignore" : Buffer.from(input);
}

function spawnOrExplain(
  { command, cwd, environment }: ExecStepLaunch,
  stdio: Stdio,
  onExit: (pid: number, exit: ExitStatus) => void,
) {
  try {
    return Bun.spawn({
      cmd: [...command],
      cwd,
      env: { ...environment },
      stdio,
      detached: true,
      onExit: ({ pid }, code, signal) => onExit(pid, exitStatus(code, signal)),
    });
  } catch (error) {
    throw spawnError(error);
  }
}

/** Both are null only when somebody else has reaped the child: how it ended is lost, and that is no success. */
function exitStatus(code: number | null, signal: NodeJS.Signals | number | null): ExitStatus {
  if (signal === null) return { kind: "exited", code: code ?? 255 };
  return { kind: "signaled", signal: typeof signal === "number" ? signal : (signalNumber(signal) ?? 0) };
}

const remedies: ReadonlyMap<string, string> = new Map([
  ["E2BIG", "the arguments and the environment together are too long"],
  ["EAGAIN", "no more processes are allowed (RLIMIT_NPROC, or the pids limit of the cgroup)"],
  ["ENOMEM", "not enough memory for another process"],
  ["EMFILE", "too many open descriptors in the supervisor (RLIMIT_NOFILE)"],
  ["ENFILE", "too many open files in the whole system"],
]);

function spawnError(cause: unknown): unknown {
  const code = errorCode(cause);
  if (code === undefined) return cause;
  return new OperatingSystemError(code, "posix_spawn", remedies.get(code) ?? "", { cause });
}

/** Asked first, because Bun tells of a folder that it can't enter as if the program were not there. */
function requireFolder(cwd: string): void {
  try {
    accessSync(`${cwd}/.`, constants.X_OK);
  } catch (cause) {
    const code = errorCode(cause) ?? "EIO";
    throw new OperatingSystemError(code, "chdir", `can't use the working directory ${cwd}`, { cause });
  }
}

function ownEnd(descriptor: number | null | undefined): number {
  if (typeof descriptor !== "number") throw new TypeError("Bun.spawn made no socket for the ack descriptor");
  return descriptor;
}

/** Runs a command and waits for its end: its exit status, or undefined for a signal. For the start only: it blocks. */
export function runToEnd(launch: ExecStepLaunch): number | undefined {
  const { command, cwd, environment } = launch;
  try {
    const { exitCode, signalCode } = Bun.spawnSync({
      cmd: [...command],
      cwd,
      env: { ...environment },
      stdio: ["ignore", "ignore", "ignore"],
    });
    return signalCode === undefined ? exitCode : undefined;
  } catch (error) {
    throw spawnError(error);
  }
}
