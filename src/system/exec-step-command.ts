/** How the step between fork and exec is called; native/exec-step/exec-step.c has the other end of it. */

/** The hidden sub-command by which our own program is the step. */
export const execStepCommand = "__exec-step";

/**
 * How a program is started by way of the step. `memory` is a tiny native program held in a memory file; `own-program`
 * is kleinhirn itself, which costs a start of Bun for each child.
 */
export type ExecStep =
  | { readonly kind: "memory"; readonly descriptor: number }
  | {
      readonly kind: "own-program";
      /** Starts ourselves, up to and with the hidden sub-command. */
      readonly command: readonly string[];
      /** Why the native one can't be used here. */
      readonly reason: string;
    };

/** What happens in the child between fork and exec. */
export type ExecStepTask = {
  /** The program must not start when its parent is another one by then. */
  readonly parentPid: number;
  /** Soft RLIMIT_NOFILE, at most the hard one; undefined leaves it alone. */
  readonly openFiles: number | undefined;
  /** Descriptors above 2 that stay open; ascending and disjoint. */
  readonly keep: readonly DescriptorRange[];
  /** A path and its argument vector; undefined for a self-check, which does all but the exec. */
  readonly program: { readonly path: string; readonly argv: readonly string[] } | undefined;
};

export type DescriptorRange = { readonly first: number; readonly last: number };

/**
 * Wide enough for every pid (the kernel's highest is 4194304): the step writes the digits over it in place, and what
 * is left of it is not part of the value any more.
 */
export const listenPidPlaceholder = "0000000000";

/** What to spawn, where, and with which environment, to have the task done in `cwd` with `environment`. */
export type ExecStepLaunch = {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
};

export function composeLaunch(
  step: ExecStep,
  task: ExecStepTask,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): ExecStepLaunch {
  if (step.kind === "memory") {
    // The child resolves the path before its exec closes the descriptor.
    const command = [`/proc/self/fd/${step.descriptor}`, ...formatTask(task)];
    return { command, cwd, environment };
  }
  // Bun would read a .env and a bunfig.toml from the worker's folder, and variables such as BUN_OPTIONS: our step is
  // started where there are none, sees the worker's variables under other names, and goes to the folder itself.
  return {
    command: [...step.command, cwd, ...formatTask(task)],
    cwd: "/",
    environment: { ...hideVariables(environment), ...forDynamicLoader() },
  };
}

/** The dynamic loader needs it to find Bun's own libraries on some systems; it is not Bun's to read. */
function forDynamicLoader(): Record<string, string> {
  const { LD_LIBRARY_PATH } = process.env;
  return LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH };
}

const hidden = "kleinhirn:";

/** The same variables, by names that mean nothing to anybody. */
export function hideVariables(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [`${hidden}${name}`, value]));
}

export function isHidden(name: string): boolean {
  return name.startsWith(hidden);
}

/** The variables that have been hidden, by their own names. */
export function revealVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const revealed = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (isHidden(name) && value !== undefined) revealed.set(name.slice(hidden.length), value);
  }
  return revealed;
}

export function formatTask(task: ExecStepTask): string[] {
  const keep = task.keep.map(({ first, last }) => `${first}-${last}`).join(",");
  const steps = [String(task.parentPid), String(task.openFiles ?? "-"), keep || "-"];
  return task.program === undefined ? steps : [...steps, task.program.path, ...task.program.argv];
}

/** undefined when the words were not made by `formatTask`. */
export function parseTask(words: readonly string[]): ExecStepTask | undefined {
  const [parentPid = "", openFiles = "", keep = "", path, ...argv] = words;
  if (!/^[0-9]+$/.test(parentPid) || !/^([0-9]+|-)$/.test(openFiles)) return undefined;
  const ranges = keep === "-" ? [] : keep.split(",").map(parseRange);
  if (!ranges.every((range) => range !== undefined)) return undefined;
  if (path !== undefined && argv.length === 0) return undefined;
  return {
    parentPid: Number(parentPid),
    openFiles: openFiles === "-" ? undefined : Number(openFiles),
    keep: ranges,
    program: path === undefined ? undefined : { path, argv },
  };
}

function parseRange(text: string): DescriptorRange | undefined {
  const found = /^([0-9]+)-([0-9]+)$/.exec(text);
  return found === null ? undefined : { first: Number(found[1]), last: Number(found[2]) };
}
