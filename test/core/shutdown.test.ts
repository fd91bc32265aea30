import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/core/event.ts";
import { fleetLimits, programLimits, restartLimits, rubyLimits } from "./support/limits.ts";
import {
  acked,
  effectsOf,
  exited,
  healthOf,
  idleScene,
  launched,
  launchFailed,
  occupantOf,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  quit,
  type Scene,
  startedScene,
  sweep,
  terminate,
  wait,
} from "./support/scene.ts";

const childrenGone: Event = { type: "childrenGone" };
const ruby = fleetLimits([rubyLimits()]);
const ready = () => play(startedScene(ruby), preloaderLaunched(1), preloaderReady(1));

function phaseOf({ fleet }: Scene): string {
  return fleet.phase.kind;
}

function exitsOf(scene: Scene): number[] {
  return effectsOf(scene, "exit").map(({ code }) => code);
}

function logged(scene: Scene, message: string) {
  return effectsOf(scene, "log").filter(({ event }) => event.message === message);
}

describe("a graceful stop", () => {
  test("goes from the workers to the preloaders to the orphans", () => {
    const serving = play(ready(), launched(1), acked(1));
    const stopping = post(serving, terminate);
    expect(effectsOf(stopping, "signalProcess")).toMatchObject([{ pid: 201, signal: "SIGTERM" }]);
    const workersGone = sweep(post(stopping, exited(1, 0)));
    expect(phaseOf(workersGone)).toBe("stoppingPreloaders");
    const preloadersGone = post(workersGone, preloaderExited(1));
    expect(effectsOf(preloadersGone, "sweepOrphans")).toMatchObject([{ signal: "SIGTERM" }]);
    const stopped = post(preloadersGone, childrenGone);
    expect(exitsOf(stopped)).toEqual([0]);
    expect(logged(stopped, "stopped")).toMatchObject([
      { event: { level: "info", fields: { killed: 0, exit_status: 0 } } },
    ]);
  });

  test("uses each set's own stop signal", () => {
    const web = programLimits({ stopSignal: "SIGQUIT" });
    const limits = fleetLimits([web, programLimits({ name: "jobs", stopSignal: "SIGINT" })]);
    const stopping = play(startedScene(limits), launched(1), launched(2), terminate);
    expect(effectsOf(stopping, "signalProcess")).toMatchObject([
      { pid: 201, signal: "SIGQUIT" },
      { pid: 202, signal: "SIGINT" },
    ]);
  });

  test("waits for drain_delay only while there is a worker", () => {
    const limits = fleetLimits([programLimits({ count: 2 })], { drainDelayMs: 2000 });
    const draining = play(startedScene(limits), launched(1), launched(2), terminate);
    expect([phaseOf(draining), phaseOf(wait(draining, 1999))]).toEqual(["draining", "draining"]);
    expect(phaseOf(wait(draining, 2000))).toBe("stoppingWorkers");
    expect(phaseOf(post(draining, exited(1)))).toBe("draining");
    expect(phaseOf(play(draining, exited(1), exited(2)))).toBe("sweepingOrphans");
    expect(phaseOf(post(idleScene(limits), terminate))).toBe("sweepingOrphans");
  });

  test("launches nothing, whoever dies while it drains", () => {
    const limits = fleetLimits([programLimits({ count: 2 })], { drainDelayMs: 2000 });
    const draining = play(startedScene(limits), launched(1), launched(2), terminate);
    expect(effectsOf(post(draining, exited(1)), "executeWorker")).toEqual([]);
  });
});

describe("a stop while a launch is in flight", () => {
  test("a program's worker is stopped as soon as it is there", () => {
    const stopping = post(startedScene(fleetLimits([programLimits()])), terminate);
    expect(phaseOf(stopping)).toBe("stoppingWorkers");
    const late = post(stopping, launched(1));
    expect(effectsOf(late, "signalProcess")).toMatchObject([{ pid: 201, signal: "SIGTERM" }]);
    expect(exitsOf(play(late, exited(1), childrenGone))).toEqual([0]);
  });

  test("a launch that fails then ends the wait", () => {
    const stopping = post(startedScene(fleetLimits([programLimits()])), terminate);
    expect(phaseOf(post(stopping, launchFailed(1)))).toBe("sweepingOrphans");
  });

  test("a fork that hangs is withdrawn with its preloader", () => {
    const stopping = post(ready(), terminate);
    expect(effectsOf(stopping, "signalProcess")).toMatchObject([{ pid: 101, signal: "SIGTERM" }]);
    const killed = wait(stopping, 3000);
    expect(effectsOf(killed, "signalProcess")).toMatchObject([{ pid: 101, signal: "SIGKILL" }]);
    expect(phaseOf(post(killed, preloaderExited(1)))).toBe("sweepingOrphans");
  });

  test("a preloader that had to be killed is a warning, one that went when it was asked is none", () => {
    const stopping = post(ready(), terminate);
    const went = post(stopping, preloaderExited(1));
    expect(logged(went, "preloader stopped")).toMatchObject([{ event: { level: "info" } }]);
    const gone = post(wait(stopping, 3000), { type: "preloaderGone", preloader: 0, generation: 1 });
    const killed = post(gone, preloaderExited(1));
    expect(logged(killed, "preloader killed")).toMatchObject([
      { event: { level: "warning", fields: { cause: "shutdown", was: "stopping", asked: true } } },
    ]);
    expect(logged(killed, "preloader stopped")).toEqual([]);
  });

  test("a worker that comes after everything was to be killed is killed", () => {
    const killing = post(startedScene(fleetLimits([programLimits()])), quit);
    const late = post(killing, launched(1));
    expect(effectsOf(late, "signalProcess")).toMatchObject([{ pid: 201, signal: "SIGKILL" }]);
    expect(exitsOf(play(late, exited(1), childrenGone))).toEqual([0]);
  });

  test.each([
    ["stopped", terminate, "SIGTERM"],
    ["killed", quit, "SIGKILL"],
  ] as const)("a preloader whose own launch is in flight is %s when it is there", (_word, event, signal) => {
    const stopping = post(startedScene(ruby), event);
    expect(exitsOf(post(stopping, childrenGone))).toEqual([]);
    const late = post(stopping, preloaderLaunched(1));
    expect(effectsOf(late, "signalProcess")).toMatchObject([{ pid: 101, signal }]);
    expect(exitsOf(play(late, preloaderExited(1), childrenGone))).toEqual([0]);
  });

  test.each([
    ["fails", { type: "preloaderLaunchFailed", preloader: 0, generation: 1, message: "EAGAIN" }],
    ["ends before it is announced", preloaderExited(1)],
  ] as const)("a preloader whose launch %s does not hold the stop up", (_words, event) => {
    const stopping = post(startedScene(ruby), terminate);
    expect(phaseOf(post(stopping, event))).toBe("sweepingOrphans");
  });
});

describe("KILL", () => {
  const pair = () => play(startedScene(fleetLimits([programLimits({ count: 2 })])), launched(1), launched(2));

  test("goes to the group and to the process, after stop_timeout", () => {
    const late = wait(post(pair(), terminate), 5000);
    expect(late.effects.filter(({ type }) => type !== "log")).toEqual([
      { type: "signalGroup", pgid: 201, signal: "SIGKILL" },
      { type: "signalProcess", pid: 201, signal: "SIGKILL" },
      { type: "signalGroup", pgid: 202, signal: "SIGKILL" },
      { type: "signalProcess", pid: 202, signal: "SIGKILL" },
    ]);
  });

  test("is counted once for each, and told at the end", () => {
    const late = wait(post(pair(), terminate), 5000);
    const again = post(late, terminate);
    expect(effectsOf(again, "signalProcess")).toEqual([]);
    const stopped = play(again, exited(1), exited(2), childrenGone);
    expect(exitsOf(stopped)).toEqual([0]);
    expect(logged(stopped, "stopped")).toMatchObject([
      { event: { level: "warning", fields: { killed: 2 } } },
    ]);
  });

  test("by a second TERM, by QUIT, and by shutdown_timeout reaches every worker", () => {
    for (const scene of [
      play(pair(), terminate, terminate),
      post(pair(), quit),
      wait(post(pair(), terminate), 25_000),
    ]) {
      expect(phaseOf(scene)).toBe("killing");
      expect(effectsOf(scene, "signalProcess").map(({ signal }) => signal)).toEqual(["SIGKILL", "SIGKILL"]);
      expect(effectsOf(scene, "sweepOrphans")).toMatchObject([{ signal: "SIGKILL" }]);
    }
  });

  test("of orphans only: the last seconds of a stop", () => {
    const swept = post(idleScene(ruby), terminate);
    const late = wait(swept, 25_000);
    expect(effectsOf(late, "sweepOrphans")).toMatchObject([{ signal: "SIGKILL" }]);
    expect(exitsOf(post(late, childrenGone))).toEqual([0]);
  });

  test("what not even KILL ends is named and left behind", () => {
    const killing = play(ready(), launched(1), quit);
    expect(exitsOf(wait(killing, 999))).toEqual([]);
    const given = wait(killing, 1000);
    expect(exitsOf(given)).toEqual([0]);
    expect(logged(given, "worker could not be reaped after KILL")).toMatchObject([
      { event: { fields: { worker: "w-1", pid: 201 } } },
    ]);
    expect(logged(given, "preloader could not be reaped after KILL")).toMatchObject([
      { event: { fields: { generation: 1, pid: 101 } } },
    ]);
  });
});

describe("a fault", () => {
  const restart = { ...restartLimits, intensity: 0 };
  const limits = fleetLimits([programLimits({ restart }), programLimits({ name: "jobs", count: 2 })], {
    onFault: "exit",
    drainDelayMs: 2000,
  });
  const begin = () => play(startedScene(limits), launched(1), launched(2));
  const faulted = () => sweep(post(begin(), exited(1)));

  test('with on_fault = "exit" drains and exits 1', () => {
    expect(phaseOf(faulted())).toBe("draining");
    const late = play(faulted(), launched(3));
    const gone = play(wait(late, 2000), exited(3), exited(2), childrenGone);
    expect(exitsOf(gone)).toEqual([1]);
  });

  test("that stops the fleet launches nothing any more in the same moment", () => {
    const waiting = play(begin(), exited(2), launched(4), exited(4));
    expect(occupantOf(waiting, 0, 1).phase).toBe("backingOff");
    const later = post({ ...waiting, nowMs: waiting.nowMs + 500 }, exited(1));
    expect(phaseOf(later)).toBe("draining");
    expect(effectsOf(later, "executeWorker")).toEqual([]);
  });

  test("is not outdone by a first TERM, but by a second one; the exit status stays 1", () => {
    const asked = post(faulted(), terminate);
    expect(phaseOf(asked)).toBe("draining");
    const killing = post(asked, terminate);
    expect(phaseOf(killing)).toBe("killing");
    const gone = play(killing, exited(2), launchFailed(3), childrenGone);
    expect(exitsOf(gone)).toEqual([1]);
  });

  test("does not come of deaths after a stop has begun, and the exit status stays", () => {
    const stopping = play(begin(), terminate, exited(1));
    expect(stopping.fleet.sets[0]?.isFaulted).toBe(false);
    const gone = play(wait(stopping, 2000), exited(2), launchFailed(3), childrenGone);
    expect(exitsOf(gone)).toEqual([0]);
  });

  test('with on_fault = "stay" leaves everything as it is, until a stop', () => {
    const stay = { ...limits, onFault: "stay", drainDelayMs: 0 } as const;
    const staying = sweep(play(startedScene(stay), launched(1), launched(2), launched(3), exited(1)));
    expect([phaseOf(staying), healthOf(staying).state]).toEqual(["serving", "faulted"]);
    const gone = play(staying, terminate, exited(2), exited(3), childrenGone);
    expect(exitsOf(gone)).toEqual([0]);
  });
});
