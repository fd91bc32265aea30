import { describe, expect, test } from "bun:test";
import { availableCpus } from "../../src/system/cpus.ts";

/** A machine with eight CPUs and these files. */
function machine(files: Readonly<Record<string, string>>, affinity = 8) {
  return { affinity, read: (path: string) => files[path] };
}

const unified = "24 1 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const legacy = [
  "25 1 0:23 / /sys/fs/cgroup ro - tmpfs tmpfs ro",
  "26 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
  "27 25 0:25 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
  "",
].join("\n");

describe("cgroup v2", () => {
  function withQuota(quota: string, affinity = 8) {
    const files = {
      "/proc/self/mountinfo": unified,
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/cpu.max": quota,
    };
    return availableCpus(machine(files, affinity));
  }

  test.each([
    ["max 100000\n", 8],
    ["200000 100000\n", 2],
    ["150000 100000\n", 2],
    ["100001 100000\n", 2],
    ["50000 100000\n", 1],
    ["1000 1000000\n", 1],
    ["1600000 100000\n", 8],
    ["garbage\n", 8],
  ])("a quota of %p is %p CPUs", (quota, cpus) => {
    expect(withQuota(quota)).toBe(cpus);
  });

  test("the affinity may allow fewer", () => {
    expect(withQuota("400000 100000\n", 3)).toBe(3);
  });

  test("the lowest quota on the way up counts", () => {
    const files = {
      "/proc/self/mountinfo": unified,
      "/proc/self/cgroup": "0::/pods/pod/container\n",
      "/sys/fs/cgroup/pods/pod/container/cpu.max": "max 100000\n",
      "/sys/fs/cgroup/pods/pod/cpu.max": "300000 100000\n",
      "/sys/fs/cgroup/pods/cpu.max": "600000 100000\n",
    };
    expect(availableCpus(machine(files))).toBe(3);
  });
});

describe("cgroup v1", () => {
  const quotaIn = (folder: string, quota: string) => ({
    [`${folder}/cpu.cfs_quota_us`]: quota,
    [`${folder}/cpu.cfs_period_us`]: "100000\n",
  });

  test.each([
    ["-1\n", 8],
    ["250000\n", 3],
  ])("a quota of %p is %p CPUs", (quota, cpus) => {
    const files = {
      "/proc/self/mountinfo": legacy,
      "/proc/self/cgroup": "3:memory:/x\n2:cpu,cpuacct:/group\n0::/elsewhere\n",
      ...quotaIn("/sys/fs/cgroup/cpu,cpuacct/group", quota),
    };
    expect(availableCpus(machine(files))).toBe(cpus);
  });

  test("a container without a cgroup namespace finds its own folder at the mount", () => {
    const files = {
      "/proc/self/mountinfo": legacy.replace("0:25 / ", "0:25 /docker/4711 "),
      "/proc/self/cgroup": "2:cpuacct,cpu:/docker/4711\n",
      ...quotaIn("/sys/fs/cgroup/cpu,cpuacct", "200000\n"),
    };
    expect(availableCpus(machine(files))).toBe(2);
  });

  test("a group outside of the mount can't be followed, the mount itself can", () => {
    const files = {
      "/proc/self/mountinfo": legacy,
      "/proc/self/cgroup": "2:cpu:/../other\n",
      ...quotaIn("/sys/fs/cgroup/cpu,cpuacct", "200000\n"),
    };
    expect(availableCpus(machine(files))).toBe(2);
  });
});

test("without any cgroup it is the affinity", () => {
  expect(availableCpus(machine({}))).toBe(8);
  expect(availableCpus(machine({}, 0))).toBe(1);
});

test("this machine has at least one", () => {
  expect(availableCpus()).toBeGreaterThanOrEqual(1);
});

test.skipIf(Bun.which("taskset") === null)("a process that is held to one CPU has one", () => {
  const module = new URL("../../src/system/cpus.ts", import.meta.url).pathname;
  const script = `console.log((await import(${JSON.stringify(module)})).availableCpus())`;
  const cpu = String(firstAllowedCpu());
  const { stdout } = Bun.spawnSync(["taskset", "-c", cpu, process.execPath, "-e", script]);
  expect(stdout.toString()).toBe("1\n");
});

/** The machine's first CPU need not be among ours. */
function firstAllowedCpu(): number {
  const { stdout } = Bun.spawnSync(["grep", "Cpus_allowed_list", "/proc/self/status"]);
  return Number(/\d+/.exec(stdout.toString())?.[0]);
}
