/** Workers by exec: the number 5 of bench/README.md. */
import type { Clock } from "./clock.ts";
import type { Contender } from "./contender.ts";
import { settleMs } from "./preload.ts";
import { childrenOf, commandOf, type Memory, memoryOf, openDescriptorsOf, threadsOf } from "./proc.ts";
import { type Supervised, supervised } from "./supervised.ts";

export type ExecSample = {
  /** Milliseconds from the start of the supervisor until `count` children of it run the program. */
  readonly startToLaunchedMs: number;
  /** Milliseconds from the first child to the last. */
  readonly firstToLaunchedMs: number;
  readonly supervisor: Memory;
  readonly descriptors: number;
  readonly threads: number;
};

/** How often to look; what is measured takes hundreds of milliseconds. */
const pollMs = 4;
const patienceMs = 120_000;

function isLaunched(run: Supervised, count: number): boolean {
  const children = childrenOf(run.pid);
  return children.length >= count && children.every((pid) => commandOf(pid) === "sleep");
}

async function poll(condition: () => boolean, clock: Clock, what: string): Promise<number> {
  const deadline = clock.now() + patienceMs * 1e6;
  while (!condition()) {
    if (clock.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await Bun.sleep(pollMs);
  }
  return clock.now();
}

export function measureExec(contender: Contender, clock: Clock, count: number): Promise<ExecSample> {
  return supervised(contender, { kind: "exec", count }, clock, async (run) => {
    const first = await poll(() => childrenOf(run.pid).length > 0, clock, "the first worker");
    const last = await poll(() => isLaunched(run, count), clock, `${count} workers`);
    await Bun.sleep(settleMs);
    return {
      startToLaunchedMs: (last - run.startedAt) / 1e6,
      firstToLaunchedMs: (last - first) / 1e6,
      supervisor: memoryOf(run.pid),
      descriptors: openDescriptorsOf(run.pid),
      threads: threadsOf(run.pid),
    };
  });
}
