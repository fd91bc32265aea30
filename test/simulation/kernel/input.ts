/**
 * What the supervisor's event loop could read: signals, exits of Bun's children, connections, data, immediates. Any of
 * them may be next; but none waits for ever, for the loop looks at all of them before it runs a timer.
 */
import type { Dice } from "../../core/random/dice.ts";
import { Pool } from "./pool.ts";

export type Source = {
  readonly name: string;
  /** Since when there is something; kept by the inbox. */
  sinceMs: number;
  deliver(dice: Dice): void;
};

/**
 * The longest that the loop leaves something unread while its timers run. A machine under load does take its time, but
 * always less than this, because between two rounds of timers there is a round of everything else.
 */
export const longestUnreadMs = 900;

export class Inbox {
  readonly sources = new Pool<Source>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  raise(source: Source): void {
    if (this.sources.has(source)) return;
    source.sinceMs = this.#nowMs();
    this.sources.add(source);
  }

  drop(source: Source): void {
    this.sources.delete(source);
  }

  /** Until when the time may pass without anything being read. */
  patienceMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { sinceMs } of this.sources.items) oldestMs = Math.min(oldestMs, sinceMs);
    return oldestMs + longestUnreadMs;
  }
}
