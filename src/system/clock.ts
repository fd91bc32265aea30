/**
 * Milliseconds since an arbitrary moment, by CLOCK_MONOTONIC: a wall clock that is set (NTP, a suspended laptop's
 * container) moves no deadline and no restart period. With a fraction, never going back.
 */
export function monotonicMs(): number {
  return performance.now();
}

/** @param delayMs up to 2³¹ - 1; beyond that Node's timers fire at once. */
export function setTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** The wall clock, for the time stamps of the log and for nothing else. */
export function wallClock(): Date {
  return new Date();
}
