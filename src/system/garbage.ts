/** How long after the first of many restarts: one collection serves all that come within that time. */
const gatherMs = 500;

let isScheduled = false;

/**
 * Collects garbage a moment from now. Bun's collector waits for the heap to grow by a good part, and what it has then
 * grown to stays with the process; a supervisor that lives for months beside its workers is to stay as small as it was.
 * A collection of our heap takes a few milliseconds. Without activity there is none, and so no wake-up.
 */
export function collectGarbageSoon(): void {
  if (isScheduled) return;
  isScheduled = true;
  const timer = setTimeout(() => {
    isScheduled = false;
    Bun.gc(true);
  }, gatherMs);
  timer.unref();
}
