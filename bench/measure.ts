/** Takes turns: every contender once a round, so that whatever else the machine does falls on all of them. */
import type { Clock } from "./clock.ts";
import { type Contender, contendersFor } from "./contender.ts";
import { type ExecSample, measureExec } from "./exec.ts";
import type { Options } from "./options.ts";
import { measurePreload, type PreloadSample } from "./preload.ts";
import { measureRestarts, type RestartSample } from "./restarts.ts";

/** Per contender; an empty list for a part that was not asked for. */
export type Measurements = {
  readonly preload: readonly Column<PreloadSample>[];
  readonly restarts: readonly Column<RestartSample>[];
  readonly exec: readonly Column<ExecSample>[];
};

export type Column<Sample> = { readonly name: string; readonly samples: readonly Sample[] };

type Turns<Sample> = {
  readonly what: string;
  readonly entrants: readonly Contender[];
  readonly rounds: number;
  /** Whether a round that is not counted goes before, so that the first one finds all files in the page cache. */
  readonly warmUp: boolean;
  readonly measure: (contender: Contender) => Promise<Sample>;
};

function say(text: string): void {
  process.stderr.write(text);
}

/** Each round begins with another contender. */
async function takeTurns<Sample>(turns: Turns<Sample>): Promise<readonly Column<Sample>[]> {
  const { what, entrants, rounds, warmUp, measure } = turns;
  const samples = entrants.map((): Sample[] => []);
  say(`${what}:`);
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (let turn = 0; turn < entrants.length; turn += 1) {
      const index = (round + turn) % entrants.length;
      const contender = entrants[index];
      if (!contender) throw new Error(`there is no contender ${index}`);
      const sample = await measure(contender);
      if (round > 0) samples[index]?.push(sample);
    }
    say(` ${round}`);
  }
  say("\n");
  return entrants.map(({ name }, index) => ({ name, samples: samples[index] ?? [] }));
}

export async function measureAll(options: Options, clock: Clock): Promise<Measurements> {
  const { rounds, restartRounds, workers, restarts, execWorkers, parts } = options;
  // The garbage collection before the fork changes nothing where nothing is forked, and little in a thousand restarts.
  const contenders = contendersFor(options.kleinhirn);
  const two = contenders.slice(0, 2);
  const preload: Turns<PreloadSample> = {
    what: "start, replacement, memory",
    entrants: contenders,
    rounds,
    warmUp: true,
    measure: (contender) => measurePreload(contender, clock, workers),
  };
  const many: Turns<RestartSample> = {
    what: `${restarts} restarts`,
    entrants: two,
    rounds: restartRounds,
    warmUp: false,
    measure: (contender) => measureRestarts(contender, clock, workers, restarts),
  };
  const exec: Turns<ExecSample> = {
    what: `exec of ${execWorkers}`,
    entrants: two,
    rounds,
    warmUp: true,
    measure: (contender) => measureExec(contender, clock, execWorkers),
  };
  return {
    preload: parts.includes("preload") ? await takeTurns(preload) : [],
    restarts: parts.includes("restarts") ? await takeTurns(many) : [],
    exec: parts.includes("exec") ? await takeTurns(exec) : [],
  };
}
