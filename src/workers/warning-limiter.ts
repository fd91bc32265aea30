/** Lets a flood be seen without letting it flood the log: so many warnings in a window, then only a count. */
export class WarningLimiter {
  readonly #limit: number;
  readonly #windowMs: number;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #used = 0;
  #suppressed = 0;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** @returns undefined: say nothing; else how many went unsaid since the last one that was said. */
  admit(nowMs: number): number | undefined {
    if (nowMs - this.#windowStartMs >= this.#windowMs) {
      this.#windowStartMs = nowMs;
      this.#used = 0;
    }
    if (this.#used >= this.#limit) {
      this.#suppressed += 1;
      return undefined;
    }
    this.#used += 1;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }
}
