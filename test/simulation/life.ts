/** One whole life: chaos, often a calm in which everything must come right, and a stop that must come to its end. */
import type { FleetLimits } from "../../src/core/fleet.ts";
import { Dice } from "../core/random/dice.ts";
import { end, recover } from "./calm.ts";
import { Fates } from "./kernel/fates.ts";
import { drawLimits } from "./limits.ts";
import { drawMood, type Mood } from "./mood.ts";
import { isFault, moves, type Verb } from "./moves.ts";
import { World } from "./world.ts";

/** One thing that happened: a verb, to whom, and the seed of what was left to chance in it. */
export type Step = { readonly verb: Verb | "recover" | "end"; readonly name: string; readonly seed: number };

export type Observer = {
  readonly onWorld: (world: World) => void;
  /** Before it happens. */
  readonly onStep: (step: Step) => void;
};

/** How often each thing happened that is neither read, run nor time. */
export type Tally = Map<Verb, number>;

/** @returns the number of steps. @throws Violation */
export function live(seed: number, observer?: Observer, tally?: Tally): number {
  const dice = new Dice(seed);
  const world = createWorld(seed, dice, observer);
  const life = new Life(world, dice, observer, tally);
  life.run();
  return life.steps;
}

function createWorld(seed: number, dice: Dice, observer?: Observer, changed?: FleetLimits): World {
  const drawn = drawLimits(dice);
  const limits = changed ?? drawn;
  // The lesser capacity holds one spawn line, but not two.
  const machine = { pids: dice.oneOf(40, 60, 100), socketCapacityBytes: dice.oneOf(150, 4096) };
  const world = new World(limits, machine, new Fates(seed, dice.oneOf(0.2, 0.6, 1)), seed);
  observer?.onWorld(world);
  world.production.start();
  world.settle();
  return world;
}

export function limitsOf(seed: number): FleetLimits {
  return drawLimits(new Dice(seed));
}

class Life {
  steps = 0;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #observer: Observer | undefined;
  readonly #tally: Tally | undefined;

  constructor(world: World, dice: Dice, observer: Observer | undefined, tally: Tally | undefined) {
    this.#world = world;
    this.#dice = dice;
    this.#observer = observer;
    this.#tally = tally;
  }

  run(): void {
    for (let calms = this.#dice.below(3); calms >= 0 && !this.#world.isOver; calms -= 1) {
      this.#disturb(drawMood(this.#dice), this.#dice.below(this.#dice.oneOf(100, 400, 400, 1500)));
      if (calms > 0) this.#macro("recover", recover);
    }
    this.#macro("end", end);
  }

  #disturb(mood: Mood, steps: number): void {
    for (let step = 0; step < steps && !this.#world.isOver; step += 1) {
      const verb = mood.draw(this.#dice, this.#world);
      if (isFault(verb)) this.#tally?.set(verb, (this.#tally.get(verb) ?? 0) + 1);
      const seed = this.#drawSeed();
      const dice = new Dice(seed);
      moves[verb].play(this.#world, dice, (targets) => {
        const index = this.#dice.below(targets.length);
        const target = targets[index];
        if (target !== undefined) this.#observer?.onStep({ verb, name: target.name, seed });
        return index;
      });
      this.#world.settle();
      this.steps += 1;
    }
  }

  #macro(verb: "recover" | "end", play: (world: World, dice: Dice) => number): void {
    if (this.#world.isOver) return;
    const seed = this.#drawSeed();
    this.#observer?.onStep({ verb, name: "-", seed });
    this.steps += play(this.#world, new Dice(seed));
  }

  #drawSeed(): number {
    return Math.floor(this.#dice.roll() * 0x1_0000_0000);
  }
}

/** What it takes to live a life, or what is left of it, again. */
export type Script = {
  readonly seed: number;
  /** Other than the seed's own. */
  readonly limits?: FleetLimits | undefined;
  readonly steps: readonly Step[];
};

/** The same world, and of the steps those that are still possible in it. @throws Violation */
export function replay(script: Script, observer?: Observer): void {
  const { seed, limits, steps } = script;
  const world = createWorld(seed, new Dice(seed), observer, limits);
  for (const step of steps) {
    if (world.isOver) return;
    observer?.onStep(step);
    playAgain(world, step);
  }
}

function playAgain(world: World, { verb, name, seed }: Step): void {
  const dice = new Dice(seed);
  if (verb === "recover") recover(world, dice);
  else if (verb === "end") end(world, dice);
  else {
    moves[verb].play(world, dice, (targets) => targets.findIndex((target) => target.name === name));
    world.settle();
  }
}
