/** Lives that end in a broken promise: found, and shrunk to the few steps that it takes. */
import { limitsOf, live, replay, type Script, type Step } from "./life.ts";
import { simplerLimits } from "./limits.ts";
import { Violation } from "./violation.ts";

export type Failure = Script & {
  /** What was broken, without the particulars. */
  readonly promise: string;
  readonly message: string;
};

/** Lives the life of this seed again, this time with a record of it. @param mostSteps cuts it short. */
export function record(seed: number, mostSteps = Number.POSITIVE_INFINITY): Failure | undefined {
  const all: Step[] = [];
  let error = failureOf(() => live(seed, { onWorld: () => {}, onStep: (step) => all.push(step) }));
  const steps = all.slice(0, mostSteps);
  if (steps.length < all.length) error = failureOf(() => replay({ seed, steps }));
  return error && { seed, steps, promise: promiseOf(error), message: error.message };
}

/**
 * Leaves out steps for as long as the same promise is still broken: first halves, then ever smaller pieces (Zeller's delta
 * debugging), until no single step can be spared; then worker sets that it does not take. Or until the time is over.
 */
export function shrink(failure: Failure, budgetMs: number): Failure {
  const shrinking = new Shrinking(failure.promise, performance.now() + budgetMs);
  if (!shrinking.breaks(failure)) return failure;
  let least = shrinking.leaveOutSteps(failure);
  for (let simpler = shrinking.simplify(least); simpler !== undefined; simpler = shrinking.simplify(least)) {
    least = shrinking.leaveOutSteps(simpler);
  }
  const error = failureOf(() => replay(least));
  return { ...failure, ...least, message: error?.message ?? failure.message };
}

class Shrinking {
  readonly #promise: string;
  readonly #untilMs: number;

  constructor(promise: string, untilMs: number) {
    this.#promise = promise;
    this.#untilMs = untilMs;
  }

  breaks(script: Script): boolean {
    if (performance.now() > this.#untilMs) return false;
    const error = failureOf(() => replay(script));
    return error !== undefined && promiseOf(error) === this.#promise;
  }

  leaveOutSteps(script: Script): Script {
    let least = script;
    for (let pieces = 2; ; ) {
      const shorter = this.#leaveOutPiece(least, pieces);
      if (shorter !== undefined) {
        least = shorter;
        pieces = Math.max(2, Math.min(pieces - 1, least.steps.length));
      } else if (pieces >= least.steps.length) return least;
      else pieces = Math.min(least.steps.length, pieces * 2);
    }
  }

  /** From the end: what comes last is most often there only because the life had not ended yet. */
  #leaveOutPiece(script: Script, pieces: number): Script | undefined {
    const { steps } = script;
    const size = Math.ceil(steps.length / pieces);
    for (let end = steps.length; end > 0; end -= size) {
      const rest = [...steps.slice(0, Math.max(0, end - size)), ...steps.slice(end)];
      const candidate = { ...script, steps: rest };
      if (this.breaks(candidate)) return candidate;
    }
    return undefined;
  }

  simplify(script: Script): Script | undefined {
    return simplerLimits(script.limits ?? limitsOf(script.seed))
      .map((limits) => ({ ...script, limits }))
      .find((candidate) => this.breaks(candidate));
  }
}

function failureOf(life: () => void): Error | undefined {
  try {
    life();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A mistake that production itself noticed is told by its message, without the numbers in it. */
function promiseOf(error: Error): string {
  return error instanceof Violation ? error.promise : error.message.replaceAll(/\d+/g, "N");
}
