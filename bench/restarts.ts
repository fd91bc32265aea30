/** Whether the supervisor grows with the number of restarts: the number 3 of bench/README.md. */
import type { Clock } from "./clock.ts";
import type { Contender } from "./contender.ts";
import { settleMs } from "./preload.ts";
import { type Memory, memoryOf, openDescriptorsOf, threadsOf } from "./proc.ts";
import { type Supervised, supervised } from "./supervised.ts";

export type RestartPoint = {
  readonly restarts: number;
  readonly memory: Memory;
  readonly descriptors: number;
  readonly threads: number;
};

export type RestartSample = {
  readonly points: readonly RestartPoint[];
  /** Milliseconds from each KILL to its replacement's ack, one directly after the other. */
  readonly replacementsMs: readonly number[];
};

const points = 10;

async function samplePoint(run: Supervised, restarts: number): Promise<RestartPoint> {
  await Bun.sleep(settleMs);
  run.remember();
  return {
    restarts,
    memory: memoryOf(run.pid),
    descriptors: openDescriptorsOf(run.pid),
    threads: threadsOf(run.pid),
  };
}

export function measureRestarts(
  contender: Contender,
  clock: Clock,
  count: number,
  restarts: number,
): Promise<RestartSample> {
  return supervised(contender, { kind: "preload", count, restarts: "unlimited" }, clock, async (run) => {
    await run.acked(count);
    const workers = run.marks.acks.map((mark) => mark.pid);
    const samples = [await samplePoint(run, 0)];
    const replacementsMs: number[] = [];
    while (replacementsMs.length < restarts) {
      const oldest = workers.shift();
      if (oldest === undefined) throw new Error("there is no worker to kill");
      const { ms, replacement } = await run.replace(oldest);
      workers.push(replacement);
      replacementsMs.push(ms);
      const done = replacementsMs.length;
      if (done % Math.ceil(restarts / points) === 0 || done === restarts)
        samples.push(await samplePoint(run, done));
    }
    return { points: samples, replacementsMs };
  });
}
