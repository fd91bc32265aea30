import { closeSync } from "node:fs";
import { runToEnd } from "./child.ts";
import { execStepBinaries } from "./exec-step.binary.ts";
import { composeLaunch, type ExecStep, execStepCommand } from "./exec-step-command.ts";
import { createMemoryFile } from "./memory-file.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

/** What starts this very program again, without arguments: the compiled binary alone, or Bun and our script. */
export function ownProgram(): readonly [string, ...string[]] {
  return Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main];
}

/** The file that we are: the compiled binary, or our script. */
export function ownFile(): string {
  return Bun.isStandaloneExecutable ? process.execPath : Bun.main;
}

/** The parts of the machine that may be missing; a test takes one away. */
export type ExecStepParts = {
  readonly architecture: string;
  createMemoryFile(name: string, content: Uint8Array): number;
};

const theseParts: ExecStepParts = { architecture: process.arch, createMemoryFile };

/**
 * Makes the step once, at start (after the inherited sockets have been read: it takes a free descriptor), and tries it:
 * memory files may be forbidden or not executable, and /proc, by which they are named, not mounted. Then our own
 * program does the same, slower; it needs no shell either.
 *
 * Throws an `OperatingSystemError` (exit status 71) when neither works.
 */
export function prepareExecStep(
  program: readonly string[] = ownProgram(),
  parts: ExecStepParts = theseParts,
): ExecStep {
  const native = prepareNative(parts);
  if (native.kind === "memory") return native;
  const step: ExecStep = {
    kind: "own-program",
    command: [...program, execStepCommand],
    reason: native.reason,
  };
  const failure = trySelfCheck(step);
  if (failure === undefined) return step;
  throw new OperatingSystemError(
    "ENOEXEC",
    "execve",
    `no way to prepare children: ${native.reason}; ${program.join(" ")}: ${failure}`,
  );
}

type Unusable = { readonly kind: "unusable"; readonly reason: string };

function prepareNative(parts: ExecStepParts): (ExecStep & { readonly kind: "memory" }) | Unusable {
  const binary = execStepBinaries[parts.architecture];
  if (binary === undefined) return { kind: "unusable", reason: `no binary for ${parts.architecture}` };
  let descriptor: number;
  try {
    descriptor = parts.createMemoryFile("kleinhirn-exec-step", Buffer.from(binary.base64, "base64"));
  } catch (error) {
    if (!(error instanceof OperatingSystemError)) throw error;
    return { kind: "unusable", reason: error.message };
  }
  const step: ExecStep & { readonly kind: "memory" } = { kind: "memory", descriptor };
  const reason = trySelfCheck(step);
  if (reason === undefined) return step;
  closeSync(descriptor);
  return { kind: "unusable", reason };
}

/** Has the step do all but the exec; why it can't, or undefined. */
function trySelfCheck(step: ExecStep): string | undefined {
  const task = { parentPid: process.pid, openFiles: undefined, keep: [], program: undefined };
  try {
    const status = runToEnd(composeLaunch(step, task, "/", {}));
    return status === 0 ? undefined : `its self-check ended with ${status ?? "a signal"}`;
  } catch (error) {
    if (error instanceof OperatingSystemError) return error.message;
    throw error;
  }
}
