import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readProcessStat } from "../../src/system/process-table.ts";
import { waitUntil } from "../helpers/wait.ts";
import { FakeKernel } from "./support/fake-kernel.ts";
import { Fixture, isRunning } from "./support/fixture.ts";

setDefaultTimeout(60_000);

describe("the rules", () => {
  test("a worker that a preloader announced is reaped and reported with its status", () => {
    const kernel = new FakeKernel();
    kernel.start(10, 11);
    kernel.workers.add(10);
    kernel.exit(10, { kind: "exited", code: 3 });
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 10 3"]);
    expect(kernel.isZombie(10)).toBe(false);
  });

  test("a stranger is an orphan while no launch is pending", () => {
    const kernel = new FakeKernel();
    kernel.start(10, 11);
    kernel.exit(10, { kind: "signaled", signal: 9 });
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["orphan 10 signal 9"]);
  });

  test("all exits that came as one signal are found, and that there is no child left", () => {
    const kernel = new FakeKernel();
    kernel.start(10, 11, 12, 13);
    kernel.workers.add(11).add(13);
    for (const pid of [13, 12, 11, 10]) kernel.exit(pid);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual([
      "orphan 10 0",
      "worker 11 0",
      "orphan 12 0",
      "worker 13 0",
      "no children",
    ]);
  });

  test("a child of Bun's is left to Bun, and what it hid is found soon after", () => {
    const kernel = new FakeKernel();
    kernel.start(10, 11);
    kernel.bunChildren.add(10);
    kernel.workers.add(11);
    kernel.exit(10);
    kernel.exit(11);
    kernel.reaper.poke();
    kernel.reaper.poke();
    expect(kernel.reports).toEqual([]);
    expect(kernel.isZombie(10)).toBe(true);
    // However often it is poked, one look is due.
    expect(kernel.scheduled.length).toBe(1);
    kernel.runScheduled();
    expect(kernel.scheduled.length).toBe(1);
    kernel.reapByBun(10);
    kernel.runScheduled();
    expect(kernel.reports).toEqual(["worker 11 0", "no children"]);
    expect(kernel.scheduled.length).toBe(0);
  });
});

describe("a stranger that exits while launches are pending", () => {
  test("is kept a zombie until it is announced, and then a worker's death", () => {
    const kernel = new FakeKernel();
    const launch = kernel.ask();
    kernel.start(10, 11);
    kernel.exit(10, { kind: "exited", code: 7 });
    kernel.reaper.poke();
    expect(kernel.reports).toEqual([]);
    expect(kernel.isZombie(10)).toBe(true);
    kernel.workers.add(10);
    kernel.pendingLaunches.delete(launch);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 10 7"]);
  });

  test("is an orphan once every launch asked before it was seen is answered, though newer ones are pending", () => {
    const kernel = new FakeKernel();
    const [first, second] = [kernel.ask(), kernel.ask()];
    kernel.start(10, 11);
    kernel.exit(10);
    kernel.reaper.poke();
    kernel.ask();
    kernel.pendingLaunches.delete(second);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual([]);
    kernel.pendingLaunches.delete(first);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["orphan 10 0"]);
  });

  test("hides nobody: workers, and strangers that are seen from then on, are found behind it", () => {
    const kernel = new FakeKernel();
    const launch = kernel.ask();
    kernel.start(10, 11, 12, 13);
    kernel.workers.add(12);
    kernel.exit(10);
    kernel.reaper.poke();
    kernel.exit(11);
    kernel.exit(12, { kind: "exited", code: 5 });
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 12 5"]);
    // A launch asked after both were seen keeps neither of them.
    kernel.ask();
    kernel.pendingLaunches.delete(launch);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 12 5", "orphan 10 0", "orphan 11 0"]);
  });

  test("behind another is only found later where children can't be listed, and workers none the less", () => {
    const kernel = new FakeKernel();
    kernel.canList = false;
    const launch = kernel.ask();
    kernel.start(10, 11, 12, 13);
    kernel.workers.add(12);
    for (const pid of [10, 11, 12]) kernel.exit(pid);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 12 0"]);
    kernel.pendingLaunches.delete(launch);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 12 0", "orphan 10 0", "orphan 11 0"]);
  });

  test("that is one of Bun's is still Bun's", () => {
    const kernel = new FakeKernel();
    kernel.ask();
    kernel.start(10, 11, 12);
    kernel.bunChildren.add(11);
    kernel.exit(10);
    kernel.exit(11);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual([]);
    expect(kernel.isZombie(11)).toBe(true);
  });

  test("keeps no memory of its pid: the next process of that number starts anew", () => {
    const kernel = new FakeKernel();
    const first = kernel.ask();
    kernel.start(10, 11);
    kernel.exit(10);
    kernel.reaper.poke();
    kernel.workers.add(10);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 10 0"]);
    const second = kernel.ask();
    kernel.start(10);
    kernel.exit(10);
    kernel.pendingLaunches.delete(first);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 10 0"]);
    kernel.pendingLaunches.delete(second);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["worker 10 0", "orphan 10 0"]);
  });
});

test("a stranger that was announced behind another is forgotten as well when it is reaped", () => {
  const kernel = new FakeKernel();
  const first = kernel.ask();
  kernel.start(10, 11, 12);
  kernel.exit(10);
  kernel.exit(11);
  kernel.reaper.poke();
  kernel.workers.add(11);
  kernel.reaper.poke();
  expect(kernel.reports).toEqual(["worker 11 0"]);
  // Its number is used again by a worker of the next launch, whose line is late.
  kernel.ask();
  kernel.start(11);
  kernel.exit(11, { kind: "exited", code: 9 });
  kernel.pendingLaunches.delete(first);
  kernel.reaper.poke();
  expect(kernel.reports).toEqual(["worker 11 0", "orphan 10 0"]);
  kernel.workers.add(11);
  kernel.reaper.poke();
  expect(kernel.reports).toEqual(["worker 11 0", "orphan 10 0", "worker 11 9"]);
});

test("a poke from within a report is a look afterwards, not a look inside a look", () => {
  const kernel = new FakeKernel();
  kernel.start(10, 11);
  kernel.exit(10);
  kernel.onReport = () => {
    kernel.onReport = () => {};
    kernel.exit(11);
    kernel.reaper.poke();
    expect(kernel.reports).toEqual(["orphan 10 0"]);
  };
  kernel.reaper.poke();
  expect(kernel.reports).toContain("orphan 11 0");
});

describe("with the real kernel", () => {
  test("500 children of Bun's and 500 orphans all end as what they are, each once, with their status", async () => {
    await using fixture = new Fixture("reaper-storm.ts", { args: ["500"] });
    const { wrong, exits, orphans, looks } = await fixture.waitFor("done");
    expect({ wrong, exits, orphans }).toEqual({ wrong: [], exits: 500, orphans: 500 });
    // Looking again for Bun's own zombies must not become spinning.
    expect(Number(looks)).toBeLessThan(5000);
    expect(await fixture.exited()).toBe(0);
  });

  test("50 exits while the supervisor is stopped come as one SIGCHLD, and are 50", async () => {
    await using fixture = new Fixture("reaper-adopter.ts", { args: ["50"] });
    const { pids } = await fixture.waitFor("adopted");
    const workers = Array.isArray(pids) ? pids.map(Number) : [];
    expect(workers.length).toBe(50);
    fixture.signal("SIGSTOP");
    await waitUntil(() => stateOf(fixture.pid) === "T");
    for (const pid of workers) process.kill(pid, "SIGKILL");
    await waitUntil(() => !workers.some(isRunning));
    fixture.signal("SIGCONT");
    await fixture.waitFor("worker", 50);
    const reported = fixture.all("worker").map(({ pid, exit }) => ({ pid, exit }));
    const killed = { kind: "signaled", signal: 9 };
    expect(new Set(reported.map(({ pid }) => pid))).toEqual(new Set(workers));
    expect(reported.every(({ exit }) => Bun.deepEquals(exit, killed))).toBe(true);
    await fixture.waitFor("no children");
    expect(fixture.all("worker").length).toBe(50);
  });

  test("an exit seen before its `launched` stays a zombie, and is a worker's death when that has come", async () => {
    await using fixture = new Fixture("reaper-adopter.ts", { args: ["2"] });
    const { pids } = await fixture.waitFor("adopted");
    const [first, second] = Array.isArray(pids) ? pids.map(Number) : [];
    if (first === undefined || second === undefined) throw new Error("no two workers");
    fixture.tell("forget and ask");
    await fixture.waitFor("asked");
    process.kill(first, "SIGKILL");
    process.kill(second, "SIGKILL");
    await waitUntil(() => stateOf(first) === "Z" && stateOf(second) === "Z");
    fixture.tell("look");
    await fixture.waitFor("looked");
    expect([stateOf(first), stateOf(second)]).toEqual(["Z", "Z"]);
    expect(fixture.all("orphan")).toEqual([]);
    fixture.tell(`launched ${second}`);
    expect(await fixture.waitFor("worker")).toMatchObject({ pid: second });
    expect(await fixture.waitFor("orphan")).toMatchObject({ pid: first });
    await fixture.waitFor("no children");
  });
});

function stateOf(pid: number): string | undefined {
  return readProcessStat(pid)?.state;
}
