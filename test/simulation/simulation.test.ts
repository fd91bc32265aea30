/**
 * Simulated lives of the supervisor, each from a seed of its own; docs/RELIABILITY.md says what is promised and what goes
 * wrong in them. A failure prints its seed and a shrunk story; `bun test/simulation/run.ts --seed N` tells it again.
 *
 * `KLEINHIRN_DEEP=1` goes on for `KLEINHIRN_SIMULATION_SECONDS`, 600 if that is not set.
 */
import { expect, test } from "bun:test";
import { isDeep } from "../helpers/deep.ts";
import { type Bounds, campaign, describeCampaign, describeTally } from "./campaign.ts";
import { record, shrink } from "./failure.ts";
import { live, replay, type Step } from "./life.ts";
import { tellFailure } from "./story.ts";
import type { World } from "./world.ts";

const seconds = isDeep ? Number(process.env.KLEINHIRN_SIMULATION_SECONDS ?? 600) : 15;
const shrinkBudgetMs = 20_000;
const marginMs = 120_000;

function keepsItsPromises(bounds: Bounds): void {
  const result = campaign(bounds);
  console.log(`${describeCampaign(result)}\n${describeTally(result.tally)}`);
  if (result.failure !== undefined) throw new Error(tellFailure(shrink(result.failure, shrinkBudgetMs)));
}

test(
  "the first lives, always the same, keep every promise",
  () => keepsItsPromises({ firstSeed: 1, lives: 1000, seconds: Number.POSITIVE_INFINITY }),
  marginMs,
);

test(
  "new lives keep every promise",
  () => keepsItsPromises({ firstSeed: Date.now() >>> 0, lives: Number.POSITIVE_INFINITY, seconds }),
  seconds * 1000 + marginMs,
);

test("a seed leads the same life every time", () => {
  for (let seed = 1; seed <= 50; seed += 1) expect(recordLife(seed)).toEqual(recordLife(seed));
});

test("what is recorded of a life is enough to live it again", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const { steps, news } = recordLife(seed);
    const again: string[] = [];
    replay({ seed, steps }, { onWorld: (world) => listen(world, again), onStep: () => {} });
    expect(again).toEqual(news);
  }
});

test("no failure is reported of a life that ends well", () => {
  expect(record(1)).toBeUndefined();
});

/** What a simulator that has lost its way would no longer bring about. */
const experiences = [
  "worker set running",
  "worker set underprovisioned",
  "worker set faulted",
  "worker died",
  "worker launch failed",
  "worker launch put off",
  "worker launch timed out",
  "worker did not ack in time",
  "worker launched too late",
  "worker launch withdrawn",
  "worker outlasted its grace period",
  "worker raised an error",
  "worker could not be reaped after KILL",
  "preloader ready",
  "preloader died",
  "preloader could not load the code",
  "preloader took too long to load",
  "preloader launch failed",
  "preloader launch put off",
  "preloader lost its connection",
  "preloader outlasted its grace period",
  "preloader stopped",
  "preloader killed",
  "signal passed on",
  "killing everything that is left",
  "orphans killed",
  "to orphan",
];

test("lives know everything that can happen to a supervisor", () => {
  const missing = new Set(experiences);
  for (let seed = 1; seed <= 2000 && missing.size > 0; seed += 1) {
    const { news } = recordLife(seed);
    for (const experience of missing)
      if (news.some((each) => each.includes(experience))) missing.delete(experience);
  }
  expect([...missing]).toEqual([]);
});

function recordLife(seed: number): { readonly steps: Step[]; readonly news: string[] } {
  const steps: Step[] = [];
  const news: string[] = [];
  live(seed, { onWorld: (world) => listen(world, news), onStep: (step) => steps.push(step) });
  return { steps, news };
}

function listen({ watcher }: World, news: string[]): void {
  watcher.onNews = (each) => void news.push(each);
}
