/**
 * What becomes of a process is drawn from its name, not from the order in which things happen: when a life is shrunk,
 * the processes that are left keep their characters.
 */
import { Dice } from "../../core/random/dice.ts";

export class Fates {
  readonly #seed: number;
  /** Faults have ceased: whoever is born now is healthy. */
  isCalm = false;
  /** The share of processes that are up to something, in [0, 1]. */
  readonly trouble: number;

  constructor(seed: number, trouble: number) {
    this.#seed = seed;
    this.trouble = trouble;
  }

  of(name: string): Fate {
    return new Fate(hash(name, this.#seed), this.isCalm ? 0 : this.trouble);
  }
}

export class Fate extends Dice {
  readonly #trouble: number;

  constructor(seed: number, trouble: number) {
    super(seed);
    this.#trouble = trouble;
  }

  /** True for that share of those who are up to something; in the calm for none. */
  isTroubled(share: number): boolean {
    return this.chance(share * this.#trouble);
  }
}

/** FNV-1a. */
export function hash(text: string, seed: number): number {
  let value = (seed ^ 0x811c9dc5) >>> 0;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
