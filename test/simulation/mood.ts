/** How often what happens; drawn anew for each stretch of a life, so that lives differ. */
import type { Dice } from "../core/random/dice.ts";
import { moves, type Verb } from "./moves.ts";
import type { World } from "./world.ts";

/** How often against one another, when everything that can go wrong does. */
const usual: Readonly<Record<Verb, number>> = {
  read: 400,
  run: 400,
  pass: 15,
  kill: 12,
  crash: 8,
  freeze: 4,
  thaw: 6,
  stick: 2,
  lose: 3,
  forge: 8,
  storm: 1,
  exhaust: 3,
  leap: 2,
  stall: 1,
  poke: 3,
  forward: 2,
  stop: 0.5,
  quit: 0.2,
};

/** When nobody has anything to do, the time passes. */
const quietHaste = 6;

const verbs = Object.keys(moves) as Verb[]; // Object.keys forgets whose names they are.

export class Mood {
  readonly #weights: readonly number[];

  constructor(weights: Readonly<Record<Verb, number>>) {
    this.#weights = verbs.map((verb) => weights[verb]);
  }

  /** Among those that have somebody to happen to. */
  draw(dice: Dice, world: World): Verb {
    let sum = 0;
    for (const [index, verb] of verbs.entries()) sum += this.#weightIn(world, index, verb);
    let at = dice.roll() * sum;
    for (const [index, verb] of verbs.entries()) {
      at -= this.#weightIn(world, index, verb);
      if (at < 0) return verb;
    }
    return "pass";
  }

  #weightIn(world: World, index: number, verb: Verb): number {
    if (moves[verb].targets(world).length === 0) return 0;
    const weight = this.#weights[index] ?? 0;
    return verb === "pass" && world.isQuiet ? weight * quietHaste : weight;
  }
}

export function drawMood(dice: Dice): Mood {
  const weights = { ...usual };
  for (const verb of verbs) weights[verb] *= drawFactor(verb, dice);
  return new Mood(weights);
}

/** What goes on by itself goes on in every mood; each fault has its seasons. */
function drawFactor(verb: Verb, dice: Dice): number {
  if (verb === "read" || verb === "run") return dice.oneOf(0.3, 1, 1);
  if (verb === "pass") return dice.oneOf(0.3, 1, 3);
  return dice.oneOf(0, 0.3, 1, 2);
}
