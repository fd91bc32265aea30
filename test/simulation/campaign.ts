/** Many lives, one after the other, until one fails or enough have been lived. */
import { type Failure, record } from "./failure.ts";
import { live, type Tally } from "./life.ts";

export type Bounds = {
  readonly firstSeed: number;
  /** Whichever comes first. */
  readonly lives: number;
  readonly seconds: number;
};

export type Campaign = {
  readonly lives: number;
  readonly steps: number;
  /** Of the processor; a busy machine takes longer by the clock. */
  readonly cpuSeconds: number;
  readonly tally: Tally;
  readonly failure: Failure | undefined;
};

export function campaign({ firstSeed, lives: mostLives, seconds }: Bounds): Campaign {
  const untilMs = performance.now() + seconds * 1000;
  const tally: Tally = new Map();
  const cpu = process.cpuUsage();
  let lives = 0;
  let steps = 0;
  let failure: Failure | undefined;
  while (failure === undefined && lives < mostLives && performance.now() < untilMs) {
    const seed = (firstSeed + lives) >>> 0;
    lives += 1;
    try {
      steps += live(seed, undefined, tally);
    } catch {
      failure = record(seed) ?? unsteady(seed);
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  return { lives, steps, cpuSeconds: (user + system) / 1e6, tally, failure };
}

/** The same seed must lead the same life; if it doesn't, that is a mistake of the simulator. */
function unsteady(seed: number): Failure {
  const promise = "a life can be lived again";
  return { seed, promise, message: `${promise}: that of seed ${seed} ends well the second time`, steps: [] };
}

export function describeCampaign({ lives, steps, cpuSeconds }: Campaign): string {
  const perSecond = (count: number) => Math.round(count / cpuSeconds).toLocaleString("en");
  const perHour = Math.round((lives / cpuSeconds) * 3600).toLocaleString("en");
  return (
    `${lives.toLocaleString("en")} lives of ${Math.round(steps / Math.max(1, lives))} steps in ` +
    `${cpuSeconds.toFixed(1)} s of one processor: ${perSecond(steps)} steps a second, ${perHour} lives an hour`
  );
}

/** What went wrong, how often, most often first. */
export function describeTally(tally: Tally): string {
  const counts = [...tally].sort(([, one], [, other]) => other - one);
  return counts.map(([verb, count]) => `${verb} ${count.toLocaleString("en")}`).join(", ");
}
