/**
 * A small seeded generator (xorshift32): the jitter must differ from container to container, but a simulation
 * must be able to replay it. Nothing secret depends on it.
 */
export type RandomState = number;

export function seedRandom(seed: number): RandomState {
  return seed >>> 0 || 0x9e3779b9;
}

/** A number in [0, 1) and the state that yields the next one. */
export function nextRandom(state: RandomState): { readonly value: number; readonly state: RandomState } {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  x >>>= 0;
  return { value: x / 0x1_0000_0000, state: x };
}
