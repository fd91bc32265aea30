import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** Where the kernel's files are; a parameter so that a test can show another machine's. */
export type CpuSources = {
  readonly affinity: number;
  /** The text of a file, or undefined where it can't be read. */
  read(path: string): string | undefined;
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
function lowestQuota(sources: CpuSources, type: string, controller: string, readQuota: QuotaReader): number {
  const mount = findMount(sources, type, controller);
  const own = findOwnGroup(sources, controller);
  if (mount === undefined || own === undefined) return Number.POSITIVE_INFINITY;
  let lowest = Number.POSITIVE_INFINITY;
  for (let group = withinMount(own, mount.root); ; group = dirname(group)) {
    lowest = Math.min(lowest, readQuota(join(mount.point, group)));
    if (group === "/") return lowest;
  }
}

/** cgroups(7): lines of `ID:CONTROLLER,CONTROLLER:PATH`; v2 is the one without controllers. */
function findOwnGroup(sources: CpuSources, controller: string): string | undefined {
  for (const line of sources.read("/proc/self/cgroup")?.split("\n") ?? []) {
    const [, controllers, ...path] = line.split(":");
    if (controllers?.split(",").includes(controller)) return path.join(":");
  }
  return undefined;
}

/**
 * proc_pid_mountinfo(5): `… ROOT POINT OPTIONS… - TYPE SOURCE SUPEROPTIONS`; for v1 the controllers are among the
 * last.
 */
function findMount(sources: CpuSources, type: string, controller: string) {
  for (const line of sources.read("/proc/self/mountinfo")?.split("\n") ?? []) {
    const [mounted = "", file = ""] = line.split(" - ");
    const [, , , root, point] = mounted.split(" ");
    const [fileType, , options = ""] = file.split(" ");
    if (fileType !== type || root === undefined || point === undefined) continue;
    if (controller === "" || options.split(",").includes(controller)) return { root, point };
  }
  return undefined;
}

/**
 * Without a cgroup namespace a container sees its full path (`/docker/ID`), but only that folder is mounted, as the
 * root. What is outside of the mount (`/..` in a namespace) can't be read: then the mount's own folder is the best we
 * know.
 */
function withinMount(group: string, root: string): string {
  if (group.includes("/..") || root.includes("/..")) return "/";
  if (root === "/") return group;
  return group.startsWith(`${root}/`) ? group.slice(root.length) : "/";
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Every failure means the same here: no quota that we could know of.
    return undefined;
  }
}
