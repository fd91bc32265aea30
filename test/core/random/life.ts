/** One whole life: chaos, often a calm in which everything must come right, and a stop that must come to its end. */

import { calmDown, type Manners } from "./calm.ts";
import { act, randomMood } from "./chaos.ts";
import { Dice } from "./dice.ts";
import { killedGraceMs } from "./expectations.ts";
import { randomLimits } from "./random-limits.ts";
import { Run } from "./run.ts";

/** @returns the number of events. @throws with the seed and the last events when an invariant is broken. */
export function live(seed: number): number {
  const dice = new Dice(seed);
  const run = new Run(randomLimits(dice), seed);
  try {
    if (dice.chance(0.97)) run.step({ type: "started" });
    disturb(run, dice);
    if (!run.isOver && run.model.stopSinceMs === undefined && run.model.isStarted) recover(run, dice);
    if (!run.isOver && dice.chance(0.3)) disturb(run, dice);
    if (!run.isOver) stop(run, dice);
    disturb(run, dice, 5);
  } catch (error) {
    const told = run.history.map(({ atMs, event }) => `${atMs} ms ${JSON.stringify(event)}`);
    const story = [JSON.stringify(run.limits), ...told].join("\n");
    throw new Error(`KLEINHIRN_SEED=${seed}: ${(error as Error).message}\n${story}`, { cause: error }); // Ours are Errors.
  }
  return run.steps;
}

function disturb(run: Run, dice: Dice, steps = dice.below(120)): void {
  const mood = randomMood(dice);
  for (let step = 0; step < steps; step += 1) act(run, dice, mood);
}

function mannersOf(dice: Dice, canBeStuck: boolean): Manners {
  const stubborn = dice.oneOf(1, 2, 4, 1000);
  const stuck = canBeStuck ? dice.oneOf(3, 1000, 1000) : 1000;
  return { isStubborn: (pid) => pid % stubborn === 0, isStuck: (pid) => pid % stuck === 0 };
}

/** Faults have ceased: every set runs, or is faulted for good, within the delays that it may take. */
function recover(run: Run, dice: Dice): void {
  const beganAtMs = run.nowMs;
  const isSettled = () => {
    const states = run.model.sets.map((_, set) => run.model.stateOf(run.world, set));
    return states.every((state) => state === "running" || state === "faulted" || state === "draining");
  };
  calmDown(run, mannersOf(dice, false), isSettled);
  const tookMs = run.nowMs - beganAtMs;
  if (tookMs > 70_000) throw new Error(`the calm took ${tookMs} ms`);
}

function stop(run: Run, dice: Dice): void {
  askToGo(run, dice);
  const beganAtMs = run.nowMs;
  const manners = mannersOf(dice, true);
  const patience = run.steps + dice.below(12);
  calmDown(run, manners, () => run.isOver || run.steps > patience);
  if (!run.isOver && dice.chance(0.2)) askToGo(run, dice);
  calmDown(run, manners, () => run.isOver);
  const tookMs = run.nowMs - beganAtMs;
  const limitMs = run.limits.shutdownTimeoutMs + killedGraceMs;
  if (tookMs > limitMs) throw new Error(`the stop took ${tookMs} ms, at the most ${limitMs} are allowed`);
}

function askToGo(run: Run, dice: Dice): void {
  if (dice.chance(0.1)) run.step({ type: "killRequested", signal: "SIGQUIT" });
  else run.step({ type: "stopRequested", signal: "SIGINT" });
}
