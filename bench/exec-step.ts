/**
 * What the step between fork and exec costs: from the spawn of /bin/true to its exit, for each way of doing it.
 *
 *   bun bench/exec-step.ts [ROUNDS]
 */
import { spawnChild } from "../src/system/child.ts";
import { prepareExecStep } from "../src/system/exec-step.ts";
import { type ExecStep, execStepCommand } from "../src/system/exec-step-command.ts";
import { runExecStepFallback } from "../src/system/exec-step-fallback.ts";

const program = "/bin/true";

/** Starts the program and calls back when Bun tells of its end. */
type Way = { readonly name: string; start(onExit: () => void): void };

function directly(command: readonly [string, ...string[]]): Way["start"] {
  return (onExit) => {
    Bun.spawn({ cmd: [...command], stdio: ["ignore", "inherit", "inherit"], detached: true, onExit });
  };
}

function byStep(step: ExecStep): Way["start"] {
  const request = {
    argv: [program] as const,
    cwd: "/",
    environment: { PATH: "/usr/bin:/bin" },
    openFiles: undefined,
    listen: undefined,
    ack: undefined,
  };
  return (onExit) => {
    spawnChild({ ...request, onExit }, step);
  };
}

function ways(): Way[] {
  const fallback: ExecStep = {
    kind: "own-program",
    command: [process.execPath, import.meta.path, execStepCommand],
    reason: "to be measured",
  };
  return [
    { name: "Bun.spawn alone", start: directly([program]) },
    { name: "exec-step from memory", start: byStep(prepareExecStep()) },
    { name: "shell (sh -c 'exec …')", start: directly(["/bin/sh", "-c", 'exec "$@"', "sh", program]) },
    { name: "our own program", start: byStep(fallback) },
  ];
}

async function measureOnce(way: Way): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const start = performance.now();
  way.start(resolve);
  await promise;
  return performance.now() - start;
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(3);
}

async function main(rounds: number): Promise<void> {
  const measured = ways().map((way) => {
    const times: number[] = [];
    return { way, times };
  });
  // In turns, so that whatever else the machine does meets them all alike (on a busy one, read the minimum); the first
  // round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const { way, times } of measured) {
      const elapsed = await measureOnce(way);
      if (round > 0) times.push(elapsed);
    }
  }
  console.log(`spawn to exit of ${program}, ${rounds} times each, milliseconds`);
  for (const { way, times } of measured) {
    times.sort((one, other) => one - other);
    const columns = [0, 0.5, 0.9, 0.99].map((share) => percentile(times, share).padStart(8));
    console.log(
      `${way.name.padEnd(26)} min ${columns[0]}  p50 ${columns[1]}  p90 ${columns[2]}  p99 ${columns[3]}`,
    );
  }
}

const [command, ...words] = process.argv.slice(2);
if (command === execStepCommand) process.exitCode = runExecStepFallback(words);
else await main(Number(command ?? 200));
