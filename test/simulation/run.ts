/**
 * Simulated lives from the command line:
 *
 *     bun test/simulation/run.ts [--seconds N] [--lives N] [--first-seed N]     many, each with a seed of its own
 *     bun test/simulation/run.ts --seed N [--steps N]                           one; if it fails, shrunk and told
 *
 * Ends with status 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { campaign, describeCampaign, describeTally } from "./campaign.ts";
import { type Failure, record, shrink } from "./failure.ts";
import { tellFailure } from "./story.ts";

const shrinkBudgetMs = 20_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    steps: { type: "string" },
    seconds: { type: "string" },
    lives: { type: "string" },
    "first-seed": { type: "string" },
    quiet: { type: "boolean" },
  },
});

const failure = values.seed === undefined ? liveMany() : liveOnce(numberOf("seed", 0));
if (failure !== undefined) {
  console.log(values.quiet ? failure.message : tellFailure(shrink(failure, shrinkBudgetMs)));
  process.exitCode = 1;
}

function liveOnce(seed: number): Failure | undefined {
  const failure = record(seed, numberOf("steps", Number.POSITIVE_INFINITY));
  if (failure === undefined) console.log(`seed ${seed}: all is well`);
  return failure;
}

function liveMany(): Failure | undefined {
  const result = campaign({
    firstSeed: numberOf("first-seed", Date.now() >>> 0),
    lives: numberOf("lives", Number.POSITIVE_INFINITY),
    seconds: numberOf("seconds", values.lives === undefined ? 10 : Number.POSITIVE_INFINITY),
  });
  console.log(describeCampaign(result));
  if (!values.quiet) console.log(describeTally(result.tally));
  return result.failure;
}

function numberOf(option: Exclude<keyof typeof values, "quiet">, otherwise: number): number {
  const text = values[option];
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(`--${option} must be a whole number, not "${text}"`);
  return Number(text);
}
