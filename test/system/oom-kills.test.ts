import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/core/event.ts";
import { OomKills } from "../../src/system/oom-kills.ts";

const killed: Event = { type: "workerExited", id: "w", exit: { kind: "signaled", signal: 9 } };

/** A machine whose files and clock the test sets. */
function machine(files: Record<string, string>) {
  const clock = { ms: 0 };
  const kills = new OomKills({ read: (path) => files[path], nowMs: () => clock.ms });
  return { files, clock, kills, told: (event: Event = killed) => oomKillsOf(kills.explain(event)) };
}

function oomKillsOf(event: Event): number | undefined {
  return event.type === "workerExited" || event.type === "preloaderExited" ? event.oomKills : undefined;
}

const unifiedCounter = "/sys/fs/cgroup/memory.events";
const unifiedEvents = (count: number) =>
  `low 0\nhigh 7\nmax 31\noom 4\noom_kill ${count}\noom_group_kill 0\n`;

function unified(count: number) {
  return machine({
    "/proc/self/mountinfo": "24 1 0:22 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
    "/proc/self/cgroup": "0::/\n",
    [unifiedCounter]: unifiedEvents(count),
  });
}

describe("where the kernel counts", () => {
  test("cgroup v2: memory.events, and there the line oom_kill alone", () => {
    const { files, told } = unified(3);
    expect(told()).toBeUndefined();
    files[unifiedCounter] = unifiedEvents(4);
    expect(told()).toBe(1);
  });

  test("cgroup v1: memory.oom_control of our own group, found without a cgroup namespace as well", () => {
    const counter = "/sys/fs/cgroup/memory/memory.oom_control";
    const { files, told } = machine({
      "/proc/self/mountinfo": "26 25 0:24 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "/proc/self/cgroup": "4:memory:/docker/abc\n0::/\n",
      [counter]: "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    });
    files[counter] = "oom_kill_disable 0\nunder_oom 1\noom_kill 2\n";
    expect(told()).toBe(2);
  });

  test("both mounted, and version 2 has no memory controller: version 1 counts", () => {
    const counter = "/sys/fs/cgroup/memory/app/memory.oom_control";
    const { files, told } = machine({
      "/proc/self/mountinfo": [
        "26 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        "27 25 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
        "",
      ].join("\n"),
      "/proc/self/cgroup": "4:memory:/app\n0::/\n",
      [counter]: "oom_kill 0\n",
    });
    files[counter] = "oom_kill 1\n";
    expect(told()).toBe(1);
  });

  test("nowhere: nothing is said", () => {
    const { told } = machine({});
    expect(told()).toBeUndefined();
  });

  test("a counter that can't be read any more: nothing is said", () => {
    const { files, told } = unified(3);
    delete files[unifiedCounter];
    expect(told()).toBeUndefined();
  });
});

describe("which deaths are told of it", () => {
  test("those by KILL alone: the kernel has no other way", () => {
    const { files, told } = unified(0);
    files[unifiedCounter] = unifiedEvents(1);
    expect(told({ type: "workerExited", id: "w", exit: { kind: "exited", code: 137 } })).toBeUndefined();
    expect(told({ type: "workerExited", id: "w", exit: { kind: "signaled", signal: 15 } })).toBeUndefined();
    expect(told()).toBe(1);
  });

  test("a preloader's as well", () => {
    const { files, told } = unified(0);
    files[unifiedCounter] = unifiedEvents(1);
    const exit = { kind: "signaled", signal: 9 } as const;
    expect(told({ type: "preloaderExited", preloader: 0, generation: 1, exit })).toBe(1);
  });

  test("several killed at once: each of them is told of all", () => {
    const { files, told, clock } = unified(0);
    files[unifiedCounter] = unifiedEvents(2);
    expect(told()).toBe(2);
    clock.ms += 20;
    expect(told()).toBe(2);
    files[unifiedCounter] = unifiedEvents(3);
    expect(told()).toBe(3);
  });

  test("one that somebody kills later is not blamed on the kernel", () => {
    const { files, told, clock } = unified(0);
    files[unifiedCounter] = unifiedEvents(2);
    expect(told()).toBe(2);
    clock.ms += 1001;
    expect(told()).toBeUndefined();
    files[unifiedCounter] = unifiedEvents(3);
    clock.ms += 60_000;
    expect(told()).toBe(1);
  });

  test("what had been counted before the start is none of ours", () => {
    expect(unified(41).told()).toBeUndefined();
  });
});
