/** One alarm at a time, for the next deadline. */
import type { SetTimer } from "./timer.ts";

/** Node's timers hold 31 bits of milliseconds and fire at once for more; a longer wait is taken in pieces. */
const longestTimerMs = 2 ** 31 - 1;

export class Alarm {
  readonly #nowMs: () => number;
  readonly #ring: () => void;
  readonly #setTimer: SetTimer;
  #cancel: () => void = () => {};

  constructor(nowMs: () => number, ring: () => void, setTimer: SetTimer) {
    this.#nowMs = nowMs;
    this.#ring = ring;
    this.#setTimer = setTimer;
  }

  /** @param atMs monotonic; undefined: no alarm. A timer may be up to a millisecond early, so it is rounded up. */
  set(atMs: number | undefined): void {
    this.#cancel();
    this.#cancel = () => {};
    if (atMs === undefined) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(atMs - this.#nowMs())), longestTimerMs);
    this.#cancel = this.#setTimer(this.#ring, waitMs);
  }
}
