import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { findOwnGroup, type ReadText, readIfThere } from "./cgroup.ts";

/** Where the kernel's files are; a parameter so that a test can show another machine's. */
export type CpuSources = {
  readonly affinity: number;
  readonly read: ReadText;
};

const thisMachine: CpuSources = { affinity: availableParallelism(), read: readIfThere };

/**
 * How many CPUs we may use: the ones that our affinity (cpuset) allows, or fewer where a cgroup on the way up to the
 * root has a quota. A quota that is no whole number is rounded up, as the JVM, Go and .NET do: rounded down, half a
 * CPU of one and a half would never be used, while the second worker of two is merely slower. At least 1.
 */
export function availableCpus(sources: CpuSources = thisMachine): number {
  const quota = Math.min(readUnifiedQuota(sources), readLegacyQuota(sources));
  return Math.max(1, Math.min(sources.affinity, Math.ceil(quota)));
}

type QuotaReader = (folder: string) => number;

/** cgroup v2: `cpu.max` has `QUOTA PERIOD` in microseconds, or `max PERIOD`. */
function readUnifiedQuota(sources: CpuSources): number {
  return lowestQuota(sources, "cgroup2", "", (folder) => {
    const [quota, period] = sources.read(join(folder, "cpu.max"))?.trim().split(" ") ?? [];
    return divideQuota(quota, period);
  });
}

/** cgroup v1: two files; a quota of -1 is none. */
function readLegacyQuota(sources: CpuSources): number {
  return lowestQuota(sources, "cgroup", "cpu", (folder) =>
    divideQuota(
      sources.read(join(folder, "cpu.cfs_quota_us"))?.trim(),
      sources.read(join(folder, "cpu.cfs_period_us"))?.trim(),
    ),
  );
}

function divideQuota(quota: string | undefined, period: string | undefined): number {
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY;
}

/** The limit of a group holds for every group below it, so the lowest on the way up counts. */
function lowestQuota(
  { read }: CpuSources,
  type: "cgroup2" | "cgroup",
  controller: string,
  readQuota: QuotaReader,
): number {
  const own = findOwnGroup(read, type, controller);
  if (own === undefined) return Number.POSITIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  for (let { group } = own; ; group = dirname(group)) {
    lowest = Math.min(lowest, readQuota(join(own.point, group)));
    if (group === "/") return lowest;
  }
}
