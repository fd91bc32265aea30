/**
 * How many deaths in which time are too many: OTP's `supervisor` calls the two numbers intensity and period.
 * Times are monotonic milliseconds.
 */
export type DeathHistory = readonly number[];

/** The history with this death in it and without those that are `periodMs` old or older. */
export function addDeath(history: DeathHistory, nowMs: number, periodMs: number): DeathHistory {
  return [...deathsWithin(history, nowMs, periodMs), nowMs];
}

export function deathsWithin(history: DeathHistory, nowMs: number, periodMs: number): DeathHistory {
  return history.filter((atMs) => nowMs - atMs < periodMs);
}

/** True when there are *more* than `intensity`: 0 allows none, 5 faults at the sixth. */
export function isTooMany(history: DeathHistory, intensity: number): boolean {
  return history.length > intensity;
}
