import { formatDuration } from "./duration.ts";
import { type Failed, fail, failed, hasKey, siteOf, type TableSite } from "./reader.ts";
import { supervisorFields, workerFields } from "./schema.ts";

/** What a whole stop may take, of which a worker's grace period is one part and the drain delay another. */
export type StopLimits = {
  readonly supervisor: TableSite;
  readonly shutdownTimeoutMs: number | Failed;
  readonly drainDelayMs: number | Failed;
};

/**
 * Refuses a grace period that the end of the whole stop would cut short: the workers would be killed earlier than their
 * set promises.
 */
export function checkStopTimeout(
  set: TableSite,
  stopTimeoutMs: number | Failed,
  limits: StopLimits | Failed,
): number | Failed {
  if (limits === failed) return stopTimeoutMs;
  const { shutdownTimeoutMs, drainDelayMs } = limits;
  if (stopTimeoutMs === failed || shutdownTimeoutMs === failed || drainDelayMs === failed)
    return stopTimeoutMs;
  if (drainDelayMs + stopTimeoutMs <= shutdownTimeoutMs) return stopTimeoutMs;
  const [whole, drain, stop] = [shutdownTimeoutMs, drainDelayMs, stopTimeoutMs].map(formatDuration);
  if (hasKey(set, workerFields.stopTimeout)) {
    const most = formatDuration(shutdownTimeoutMs - drainDelayMs);
    const sum =
      drainDelayMs === 0 ? `shutdown_timeout` : `shutdown_timeout (${whole}) less drain_delay (${drain})`;
    return fail(siteOf(set, workerFields.stopTimeout.key), `at most ${most}, which is ${sum}`, `${stop}`);
  }
  const { shutdownTimeout, drainDelay } = supervisorFields;
  const cause = hasKey(limits.supervisor, shutdownTimeout) ? shutdownTimeout : drainDelay;
  const needed = `drain_delay (${drain}) and stop_timeout (${stop} by default) within shutdown_timeout (${whole})`;
  return fail(
    siteOf(limits.supervisor, cause.key),
    needed,
    "too little time",
    "shorten or lengthen one of them",
  );
}

/** A drain delay that leaves no time at all for stopping is an error of its own. */
export function checkDrainDelay(limits: StopLimits): number | Failed {
  const { supervisor, shutdownTimeoutMs, drainDelayMs } = limits;
  if (shutdownTimeoutMs === failed || drainDelayMs === failed || drainDelayMs < shutdownTimeoutMs)
    return drainDelayMs;
  const expected = `less than shutdown_timeout, which is ${formatDuration(shutdownTimeoutMs)}`;
  const cause = hasKey(supervisor, supervisorFields.drainDelay) ? "drain_delay" : "shutdown_timeout";
  return fail(siteOf(supervisor, cause), expected, formatDuration(drainDelayMs));
}
