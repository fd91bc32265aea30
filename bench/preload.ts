/** Start, replacement and memory of a preloaded application: the numbers 1, 2 and 4 of bench/README.md. */
import type { Clock } from "./clock.ts";
import type { Contender } from "./contender.ts";
import { addMemory, type Memory, memoryOf, openDescriptorsOf, processorTimeOf, threadsOf } from "./proc.ts";
import { type Supervised, supervised } from "./supervised.ts";

export type PreloadSample = {
  /** Milliseconds from the start of the supervisor to the first line of the application. */
  readonly startToLoadingMs: number;
  /** Milliseconds in the application's own code. */
  readonly loadingMs: number;
  /** Milliseconds from the end of the load to the last worker's ack. */
  readonly loadedToAckedMs: number;
  /** Milliseconds from the start to the last worker's ack: the sum of the three above. */
  readonly startToAckedMs: number;
  /** Milliseconds from the start until the supervisor has logged that it knows of the last ack. */
  readonly startToCountedMs: number;
  /** Milliseconds of processor time that everything together had used by then. */
  readonly processorMs: number;
  readonly supervisor: Memory;
  /** Of everything: supervisor, preloader, workers. */
  readonly tree: Memory;
  /** Mean of the workers' own pages, kilobytes. */
  readonly workerPrivateDirty: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Milliseconds from a KILL to the replacement's ack, for each of the first workers. */
  readonly replacementsMs: readonly number[];
};

/** Long enough for what follows an ack (a log line, a garbage collection that is due) to be over. */
export const settleMs = 500;

/** Between two kills. Longer than einhorn's respawn delay of 10 ms, which therefore never holds it up. */
const betweenKillsMs = 80;

function sampleMemory(run: Supervised) {
  const tree = run.remember();
  const workers = run.marks.acks.map((mark) => memoryOf(mark.pid).privateDirty);
  return {
    supervisor: memoryOf(run.pid),
    tree: addMemory(tree.map(memoryOf)),
    workerPrivateDirty: workers.reduce((sum, each) => sum + each, 0) / workers.length,
    descriptors: openDescriptorsOf(run.pid),
    threads: threadsOf(run.pid),
  };
}

async function waitUntilCounted(run: Supervised, count: number): Promise<number> {
  for (;;) {
    const at = run.countedReadyAt[count - 1];
    if (at !== undefined) return at;
    await Bun.sleep(1);
  }
}

async function sampleTimes(run: Supervised, count: number) {
  const last = await run.acked(count);
  const counted = await waitUntilCounted(run, count);
  const processorMs = run.remember().reduce((sum, pid) => sum + processorTimeOf(pid), 0);
  const [loading, loaded] = ["loading", "loaded"].map((what) =>
    run.marks.all.find((mark) => mark.what === what),
  );
  if (!loading || !loaded) throw new Error("the application did not say when it loaded");
  return {
    startToLoadingMs: (loading.at - run.startedAt) / 1e6,
    loadingMs: (loaded.at - loading.at) / 1e6,
    loadedToAckedMs: (last.at - loaded.at) / 1e6,
    startToAckedMs: (last.at - run.startedAt) / 1e6,
    startToCountedMs: (counted - run.startedAt) / 1e6,
    processorMs,
  };
}

/**
 * Kills each of the first workers once. So each death is its slot's first, for which kleinhirn's defaults know no delay,
 * and there are fewer deaths than its default intensity.
 */
async function replaceEach(run: Supervised): Promise<readonly number[]> {
  const replacementsMs: number[] = [];
  for (const { pid } of [...run.marks.acks]) {
    replacementsMs.push((await run.replace(pid)).ms);
    await Bun.sleep(betweenKillsMs);
  }
  return replacementsMs;
}

export function measurePreload(contender: Contender, clock: Clock, count: number): Promise<PreloadSample> {
  const job = { kind: "preload", count, restarts: "as configured by default" } as const;
  return supervised(contender, job, clock, async (run) => {
    const times = await sampleTimes(run, count);
    await Bun.sleep(settleMs);
    const memory = sampleMemory(run);
    return { ...times, ...memory, replacementsMs: await replaceEach(run) };
  });
}
