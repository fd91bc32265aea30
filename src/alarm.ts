/** One alarm at a time, for the next deadline. */

/** Node's timers hold 31 bits of milliseconds and fire at once for more; a longer wait is taken in pieces. */
const longestTimerMs = 2 ** 31 - 1;

export class Alarm {
  readonly #nowMs: () => number;
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(nowMs: () => number, ring: () => void) {
    this.#nowMs = nowMs;
    this.#ring = ring;
  }

  /** @param atMs monotonic; undefined: no alarm. A timer may be up to a millisecond early, so it is rounded up. */
  set(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (atMs === undefined) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(atMs - this.#nowMs())), longestTimerMs);
    this.#timer = setTimeout(this.#ring, waitMs);
  }
}
