import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/core/event.ts";
import type { SetLimits } from "../../src/core/fleet.ts";
import { fleetLimits, preloaderLimits, programLimits, restartLimits, rubyLimits } from "./support/limits.ts";
import {
  acked,
  effectsOf,
  exited,
  healthOf,
  launched,
  launchFailed,
  occupantOf,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  type Scene,
  startedScene,
  sweep,
  wait,
} from "./support/scene.ts";

function phases(scene: Scene, set = 0): string[] {
  return scene.fleet.sets[set]?.slots.map(({ occupant }) => occupant.phase) ?? [];
}

describe("the start", () => {
  test("launches every program at once, and no Ruby worker before its preloader is ready", () => {
    const limits = fleetLimits([programLimits({ count: 2 }), rubyLimits({ name: "jobs" })]);
    const scene = startedScene(limits);
    expect(scene.effects).toEqual([
      { type: "startPreloader", preloader: 0, generation: 1 },
      { type: "executeWorker", id: "w-1", set: 0, slot: 0 },
      { type: "executeWorker", id: "w-2", set: 0, slot: 1 },
    ]);
    const loading = post(scene, preloaderLaunched(1));
    expect(effectsOf(loading, "spawnWorker")).toEqual([]);
    expect(effectsOf(post(loading, preloaderReady(1)), "spawnWorker")).toEqual([
      {
        type: "spawnWorker",
        id: "w-3",
        set: 1,
        slot: 0,
        preloader: 0,
        generation: 1,
        timeoutMs: 24_000, // A fifth less than ours, so that the preloader can say what hung.
      },
    ]);
  });

  test("gives the preloader at least a millisecond", () => {
    const limits = fleetLimits([rubyLimits({ launchTimeoutMs: 0 })]);
    const scene = play(startedScene(limits), preloaderLaunched(1), preloaderReady(1));
    expect(effectsOf(scene, "spawnWorker")).toMatchObject([{ timeoutMs: 1 }]);
  });
});

describe("max_starting", () => {
  const limits = programLimits({ count: 4, maxStarting: 2, needsAck: true, ackTimeoutMs: 12_000 });
  const begin = () => startedScene(fleetLimits([limits]));

  test("counts what is requested or launched and not yet ready", () => {
    expect(phases(begin())).toEqual(["requested", "requested", "vacant", "vacant"]);
    const one = post(begin(), launched(1));
    expect(phases(one)).toEqual(["launched", "requested", "vacant", "vacant"]);
    expect(phases(post(one, acked(1)))).toEqual(["ready", "requested", "requested", "vacant"]);
  });

  test("lets the next one begin when one has failed, died, or timed out", () => {
    const failed = play(begin(), launchFailed(1));
    expect(phases(failed)).toEqual(["requested", "requested", "vacant", "vacant"]);
    const unacked = wait(play(begin(), launched(1), launched(2)), 12_000);
    expect(phases(unacked)).toEqual(["stopping", "stopping", "requested", "requested"]);
    const hung = wait(begin(), 30_000);
    expect(phases(hung)).toEqual(["abandoned", "abandoned", "requested", "requested"]);
  });

  test("a slot that fails again and again does not starve the others", () => {
    let scene = startedScene(fleetLimits([{ ...limits, count: 3, maxStarting: 1 }]));
    for (let launch = 1; launch <= 3; launch += 1) {
      const slot = phases(scene).indexOf("requested");
      scene = post(scene, slot === 0 ? launchFailed(launch) : launched(launch));
    }
    expect(phases(scene)).toEqual(["backingOff", "launched", "vacant"]);
    expect(phases(post(scene, acked(3)))).toEqual(["backingOff", "ready", "requested"]);
  });
});

describe("a slot", () => {
  const begin = (change: Partial<SetLimits> = {}) =>
    play(startedScene(fleetLimits([programLimits({ count: 2, ...change })])), launched(1), launched(2));

  test("backs off by itself: a storm that takes every worker once is replaced at once", () => {
    const storm = play(begin(), exited(1), exited(2));
    expect(phases(storm)).toEqual(["requested", "requested"]);
    const again = play(storm, launched(3), exited(3));
    expect(phases(again)).toEqual(["backingOff", "requested"]);
  });

  test("is filled when its delay is over, by whatever event comes then", () => {
    const waiting = sweep(play(begin(), exited(1), launched(3), exited(3)));
    expect(phases({ ...wait(waiting, 79) })).toEqual(["backingOff", "ready"]);
    const later = post({ ...waiting, nowMs: waiting.nowMs + 120 }, acked(2));
    expect(phases(later)).toEqual(["requested", "ready"]);
  });

  test("stays empty in a faulted set, whatever comes", () => {
    const restart = { ...restartLimits, intensity: 1 };
    const faulted = sweep(play(begin({ restart }), exited(1), launched(3), exited(3)));
    expect(phases(faulted)).toEqual(["backingOff", "ready"]);
    const later = post({ ...faulted, nowMs: faulted.nowMs + 1_000_000 }, acked(2));
    expect(phases(later)).toEqual(["backingOff", "ready"]);
    expect(later.effects).toEqual([]);
  });

  test("of a worker that timed out is used when the worker is gone, after the delay that its deaths have earned", () => {
    const restart = { ...restartLimits, backoffMs: 8000 };
    const limits = rubyLimits({ restart });
    const loaded = play(startedScene(fleetLimits([limits])), preloaderLaunched(1), preloaderReady(1));
    const second = wait(play(loaded, launched(1), exited(1), launched(2)), 12_000);
    expect(phases(second)).toEqual(["stopping"]);
    const gone = sweep(post({ ...second, nowMs: second.nowMs + 1000 }, exited(2)));
    const occupant = occupantOf(gone);
    if (occupant.phase !== "backingOff") throw new Error(occupant.phase);
    expect(occupant.untilMs - second.nowMs).toBeWithin(6400, 9601); // From the death on, not from the exit.
  });
});

describe("two sets that share a preloader", () => {
  const web = rubyLimits({ name: "web", restart: { ...restartLimits, intensity: 0 } });
  const jobs = rubyLimits({ name: "jobs" });
  const begin = () => play(startedScene(fleetLimits([web, jobs])), preloaderLaunched(1), preloaderReady(1));

  test("start it once", () => {
    const scene = startedScene(fleetLimits([web, jobs]));
    expect(effectsOf(scene, "startPreloader")).toHaveLength(1);
    expect(effectsOf(begin(), "spawnWorker").map(({ set }) => set)).toEqual([0, 1]);
  });

  test("one of them faulted: the other one goes on, and a new generation serves it alone", () => {
    const faulted = play(begin(), launched(1), launched(2), acked(2), exited(1));
    expect([healthOf(faulted, 0).state, healthOf(faulted, 1).state]).toEqual(["faulted", "running"]);
    const died = play(faulted, exited(2));
    expect(effectsOf(died, "spawnWorker")).toMatchObject([{ set: 1, generation: 1 }]);
    const next = post(died, preloaderExited(1));
    expect(effectsOf(next, "startPreloader")).toMatchObject([{ generation: 2 }]);
    const served = play(next, preloaderLaunched(2), preloaderReady(2));
    expect(effectsOf(served, "spawnWorker")).toMatchObject([{ set: 1, generation: 2 }]);
  });

  test("both faulted: it is not started again when it goes", () => {
    const restart = { ...restartLimits, intensity: 0 };
    const limits = fleetLimits([web, { ...jobs, restart }]);
    const ready = play(startedScene(limits), preloaderLaunched(1), preloaderReady(1));
    const faulted = play(ready, launched(1), launched(2), exited(1), exited(2));
    expect(faulted.fleet.preloaders[0]?.process.phase).toBe("ready");
    const gone = post(faulted, preloaderExited(1));
    expect(effectsOf(gone, "startPreloader")).toEqual([]);
    expect(gone.fleet.preloaders[0]?.process.phase).toBe("retired");
  });

  test("it fails too often: both are faulted, and their workers go on serving", () => {
    const limits = fleetLimits([web, jobs]);
    const preloaders = [{ ...preloaderLimits, restart: { ...restartLimits, intensity: 1 } }];
    const ready = play(
      startedScene({ ...limits, preloaders }),
      preloaderLaunched(1),
      preloaderReady(1),
      launched(1),
      launched(2),
      acked(1),
      acked(2),
    );
    const failed = play(ready, preloaderExited(1), preloaderLaunched(2), preloaderExited(2));
    expect([0, 1].map((set) => healthOf(failed, set))).toMatchObject([
      { state: "faulted", ready: 1 },
      { state: "faulted", ready: 1 },
    ]);
    expect(failed.fleet.preloaders[0]?.process.phase).toBe("retired");
  });

  test("a launch of one that hangs withdraws the other's, without a death of the other", () => {
    const limits = fleetLimits([{ ...web, launchTimeoutMs: 5000, restart: restartLimits }, jobs]);
    const hung = wait(play(startedScene(limits), preloaderLaunched(1), preloaderReady(1)), 5000);
    const gone = post(hung, preloaderExited(1));
    expect(gone.fleet.sets.map(({ deaths }) => deaths.length)).toEqual([1, 0]);
    const next = play(gone, preloaderLaunched(2), preloaderReady(2));
    expect(effectsOf(next, "spawnWorker").map(({ set }) => set)).toEqual([0, 1]);
  });
});

describe("a shortage", () => {
  const shortOf = (launch: number, shortage = "EAGAIN"): Event => ({
    type: "workerLaunchFailed",
    id: `w-${launch}`,
    message: `posix_spawn: ${shortage}`,
    shortage,
  });

  /** As often as the set's intensity would allow ten times over. */
  function starve(): Scene {
    let scene = startedScene(fleetLimits([programLimits({ restart: { ...restartLimits, intensity: 1 } })]));
    for (let launch = 1; launch <= 20; launch += 1) {
      scene = post(scene, shortOf(launch));
      scene = wait(scene, 12_000);
    }
    return scene;
  }

  test("is no death, however long it lasts: the set is not faulted, and runs when it is over", () => {
    const starved = starve();
    expect(healthOf(starved)).toMatchObject({
      state: "starting",
      deaths: 0,
      lastDeath: undefined,
      detail: "launches are put off: EAGAIN",
    });
    const fed = post(starved, launched(21));
    expect(healthOf(fed)).toMatchObject({ state: "running", detail: undefined });
  });

  test("is an error in the log once, until a launch has succeeded or something else is short", () => {
    const levelsOf = (scene: Scene) => effectsOf(scene, "log").map(({ event }) => event.level);
    let scene = startedScene(fleetLimits([programLimits()]));
    const levels: string[] = [];
    for (const [launch, shortage] of ["EAGAIN", "EAGAIN", "EMFILE", "EMFILE", "EAGAIN"].entries()) {
      const failed = post(scene, shortOf(launch + 1, shortage));
      levels.push(...levelsOf(failed));
      scene = wait(failed, 12_000);
    }
    expect(levels).toEqual(["error", "debug", "error", "debug", "error"]);
    const again = wait(play(scene, launched(6), exited(6)), 12_000);
    expect(levelsOf(post(again, shortOf(7)))).toEqual(["error"]);
  });

  test("is no reason any more when a launch fails for another one, or when nothing is launched any more", () => {
    const starved = wait(post(startedScene(fleetLimits([programLimits()])), shortOf(1)), 12_000);
    const failed = post(starved, { type: "workerLaunchFailed", id: "w-2", message: "execve: ENOENT" });
    expect(healthOf(failed)).toMatchObject({ deaths: 1, detail: undefined });
    const restart = { ...restartLimits, intensity: 0 };
    const pair = startedScene(fleetLimits([programLimits({ count: 2, restart })]));
    const faulted = play(pair, launched(1), shortOf(2), exited(1));
    expect(healthOf(faulted)).toMatchObject({ state: "faulted", detail: undefined });
    const ref = { preloader: 0, generation: 1 };
    const short = { type: "preloaderLaunchFailed", ...ref, message: "no", shortage: "ENOMEM" } as const;
    const waiting = wait(post(startedScene(fleetLimits([rubyLimits()])), short), 12_000);
    const missing = {
      type: "preloaderLaunchFailed",
      preloader: 0,
      generation: 2,
      message: "no ruby",
    } as const;
    expect(healthOf(post(waiting, missing)).detail).toBe("preloader backing off after generation 2");
  });

  test("is waited out for a tenth of a second at least, also where deaths are not waited for at all", () => {
    const restart = { ...restartLimits, backoffMs: 0, backoffMaxMs: 0 };
    const failed = post(startedScene(fleetLimits([programLimits({ restart })])), shortOf(1));
    expect(occupantOf(failed)).toEqual({ phase: "backingOff", untilMs: failed.nowMs + 100 });
  });

  test("of a preloader's launch is none of its failures", () => {
    let scene = startedScene(fleetLimits([rubyLimits()]));
    for (let generation = 1; generation <= 20; generation += 1) {
      const ref = { preloader: 0, generation };
      scene = post(scene, { type: "preloaderLaunchFailed", ...ref, message: "no", shortage: "ENOMEM" });
      expect(healthOf(scene).detail).toBe("launches are put off: ENOMEM");
      scene = wait(scene, 12_000);
    }
    expect(healthOf(scene)).toMatchObject({ state: "loading", deaths: 0 });
    const loaded = play(scene, preloaderLaunched(21), preloaderReady(21), launched(1));
    expect(healthOf(loaded)).toMatchObject({ ready: 0, detail: undefined });
  });
});
