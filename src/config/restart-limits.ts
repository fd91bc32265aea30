import type { RestartLimits } from "../core/fleet.ts";
import { formatDuration } from "./duration.ts";
import {
  type Failed,
  fail,
  failed,
  hasKey,
  readField,
  readTable,
  requireAll,
  siteOf,
  type TableSite,
} from "./reader.ts";
import { restartFields as fields } from "./schema.ts";
import { rejectKeysOutsideSchema } from "./schema-keys.ts";

/** Reads the table `restart` of a worker set, whether it is written with a header, with dotted keys or inline. */
export function readRestartLimits(set: TableSite, count: number | Failed): RestartLimits | Failed {
  const table = readTable(set, "restart", '{ intensity = 5, period = "1m" }');
  if (table === failed) return failed;
  rejectKeysOutsideSchema(table, ["worker", "restart"]);
  const limits = requireAll({
    intensity: readIntensity(table, count),
    periodMs: readField(table, fields.period),
    backoffMs: readField(table, fields.backoff),
    backoffMaxMs: readField(table, fields.backoffMax),
  });
  return limits === failed ? failed : checkBackoff(table, limits);
}

/** Three deaths for each worker, and five at least, so that a set of one isn't given up after its third. */
function readIntensity(table: TableSite, count: number | Failed): number | Failed {
  const intensity = readField(table, fields.intensity);
  if (intensity !== undefined) return intensity;
  return count === failed ? failed : Math.max(5, 3 * count);
}

function checkBackoff(table: TableSite, limits: RestartLimits): RestartLimits | Failed {
  const { backoffMs, backoffMaxMs } = limits;
  if (backoffMs <= backoffMaxMs) return limits;
  const [backoff, most] = [formatDuration(backoffMs), formatDuration(backoffMaxMs)];
  if (!hasKey(table, fields.backoff)) {
    return fail(
      siteOf(table, fields.backoffMax.key),
      `at least backoff, which is ${backoff}`,
      most,
      "lower backoff too",
    );
  }
  return fail(
    siteOf(table, fields.backoff.key),
    `at most backoff_max, which is ${most}`,
    backoff,
    "raise backoff_max",
  );
}
