/**
 * The delay before a replacement: none after a first death, then doubling. It is kept for each slot (and each
 * preloader) by itself, so that one storm that takes sixteen workers together is sixteen first deaths, and all
 * are replaced at once, while a slot whose worker dies again and again waits longer and longer.
 */
export type Backoff = {
  /** Deaths in a row, none of them a whole period after the one before. */
  readonly deaths: number;
  readonly lastDeathAtMs: number;
  /** No replacement before this time. */
  readonly retryAtMs: number;
};

export type BackoffLimits = {
  readonly periodMs: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
};

export const noBackoff: Backoff = {
  deaths: 0,
  lastDeathAtMs: Number.NEGATIVE_INFINITY,
  retryAtMs: Number.NEGATIVE_INFINITY,
};

/** @param random in [0, 1): spreads the delay by ±20 %, so that containers that fell together don't rise together. */
export function backOff(before: Backoff, limits: BackoffLimits, nowMs: number, random: number): Backoff {
  const isForgotten = nowMs - before.lastDeathAtMs >= limits.periodMs;
  const deaths = isForgotten ? 1 : before.deaths + 1;
  return { deaths, lastDeathAtMs: nowMs, retryAtMs: nowMs + delayMs(deaths, limits, random) };
}

/** A shortage of the machine's is not over in the same breath, however small the configured delays are. */
const leastPutOffMs = 100;

/** The delay after a launch for which the machine lacked something: as after a death, but never none. */
export function putOff(before: Backoff, limits: BackoffLimits, nowMs: number, random: number): Backoff {
  const next = backOff(before, limits, nowMs, random);
  return { ...next, retryAtMs: Math.max(next.retryAtMs, nowMs + leastPutOffMs) };
}

function delayMs(deaths: number, limits: BackoffLimits, random: number): number {
  if (deaths <= 1) return 0;
  const doubled = Math.min(limits.backoffMs * 2 ** Math.min(deaths - 2, 40), limits.backoffMaxMs);
  return doubled * (0.8 + 0.4 * random);
}
