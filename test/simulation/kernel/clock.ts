/** The simulated time: it stands still while anything happens, and passes only when it is told to. */
import type { SetTimer } from "../../../src/timer.ts";

export type Timer = { readonly atMs: number; readonly callback: () => void };

export class Clock {
  /** Monotonic. */
  nowMs = 1000;
  /** What NTP or an administrator does to the wall clock. */
  wallOffsetMs = 1_700_000_000_000;
  readonly #timers = new Set<Timer>();

  get wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  readonly setTimer: SetTimer = (callback, delayMs) => {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** The next to go off; of two at one time, the one that was set first. */
  nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    return next;
  }

  fire(timer: Timer): void {
    this.nowMs = Math.max(this.nowMs, timer.atMs);
    if (this.#timers.delete(timer)) timer.callback();
  }

  /** A timer may be up to a millisecond early. */
  fireEarly(timer: Timer, byMs: number): void {
    this.nowMs = Math.max(this.nowMs, timer.atMs - byMs);
    if (this.#timers.delete(timer)) timer.callback();
  }
}
