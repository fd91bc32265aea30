import { describe, expect, test } from "bun:test";
import { fleetLimits, programLimits, restartLimits } from "./support/limits.ts";
import {
  effectsOf,
  exited,
  hangUp,
  launched,
  play,
  post,
  type Scene,
  startedScene,
  terminate,
  wait,
} from "./support/scene.ts";

const pair = (change = {}) => startedScene(fleetLimits([programLimits({ count: 2, ...change })]));

function messages(scene: Scene): string[] {
  return effectsOf(scene, "log").map(({ event }) => `${event.level}: ${event.message}`);
}

test("the fleet that is given is not changed", () => {
  const scene = pair();
  const before = structuredClone(scene.fleet);
  play(scene, launched(1), exited(1), terminate);
  expect(scene.fleet).toEqual(before);
});

describe("each change of a set is one event", () => {
  test("running, underprovisioned and running again, each once", () => {
    const one = post(pair(), launched(1));
    expect(messages(one)).not.toContain("info: worker set running");
    const running = post(one, launched(2));
    expect(effectsOf(running, "log").at(-1)?.event).toEqual({
      level: "info",
      message: "worker set running",
      fields: { set: "web", ready: 2, count: 2 },
    });
    const less = post(running, exited(1));
    expect(messages(less)).toContain("warning: worker set underprovisioned");
    expect(messages(post(less, exited(2)))).not.toContain("warning: worker set underprovisioned");
    expect(messages(post(less, launched(3)))).toContain("info: worker set running");
  });

  test("a set that never ran is not called underprovisioned", () => {
    const died = play(pair(), launched(1), exited(1));
    expect(messages(died)).not.toContain("warning: worker set underprovisioned");
  });

  test("a fault is told once, with its numbers, and nothing more about how many are ready", () => {
    const restart = { ...restartLimits, intensity: 0 };
    const faulted = play(pair({ restart }), launched(1), launched(2), exited(1, 3));
    expect(effectsOf(faulted, "log").find(({ event }) => event.level === "critical")?.event).toEqual({
      level: "critical",
      message: "worker set faulted",
      fields: {
        set: "web",
        reason: "1 death",
        intensity: 0,
        period_ms: 60_000,
        last_death: "status 3",
      },
    });
    expect(messages(faulted)).not.toContain("warning: worker set underprovisioned");
    expect(messages(post(faulted, exited(2)))).toEqual(["warning: worker died"]);
  });
});

describe("a worker's exit", () => {
  test("that nobody asked for says its status, its age, and that it was not asked to go", () => {
    const launchedPair = post(pair(), launched(1));
    const died = post({ ...launchedPair, nowMs: launchedPair.nowMs + 1500 }, exited(1, 3));
    expect(effectsOf(died, "log")[0]?.event).toEqual({
      level: "warning",
      message: "worker died",
      fields: {
        set: "web",
        slot: 0,
        worker: "w-1",
        pid: 201,
        exit: "status 3",
        was: "ready",
        asked: false,
        age_ms: 1500,
      },
    });
  });

  test("by the signal that we sent is graceful, and after KILL is worth a warning", () => {
    const stopping = play(pair(), launched(1), launched(2), terminate);
    const byTerm = post(stopping, {
      type: "workerExited",
      id: "w-1",
      exit: { kind: "signaled", signal: 15 },
    });
    expect(messages(byTerm)).toEqual(["info: worker stopped"]);
    const byKill = post(wait(stopping, 5000), {
      type: "workerExited",
      id: "w-1",
      exit: { kind: "signaled", signal: 9 },
    });
    expect(messages(byKill)).toEqual(["warning: worker killed"]);
    expect(byKill.fleet.sets[0]?.deaths).toEqual([]);
  });
});

describe("the end of a program that may never have run", () => {
  const hint = 'perhaps "./serve" was never executed';
  const fail = { type: "workerExited", id: "w-1", exit: { kind: "exited", code: 127 }, hint } as const;
  const death = (scene: Scene) => effectsOf(scene, "log")[0]?.event;

  test("carries the hint", () => {
    expect(death(post(play(pair(), launched(1)), fail))).toMatchObject({
      message: "worker died",
      fields: { exit: "status 127", hint },
    });
  });

  test("carries none where the worker has lived for long: a script that ends with 127 after hours did run", () => {
    expect(death(post(wait(play(pair(), launched(1)), 10_000), fail))?.fields.hint).toBe(hint);
    expect(death(post(wait(play(pair(), launched(1)), 10_001), fail))?.fields.hint).toBeUndefined();
  });

  test("carries none where the worker has acked, for then it did run", () => {
    const limits = fleetLimits([programLimits({ needsAck: true })]);
    const ready = play(startedScene(limits), launched(1), { type: "workerAcked", id: "w-1" });
    expect(death(post(ready, fail))?.fields.hint).toBeUndefined();
  });
});

test("a signal is passed on to every worker that was not asked to go, and to no other", () => {
  const limits = fleetLimits([programLimits({ count: 3, needsAck: true, ackTimeoutMs: 1000 })]);
  const unacked = wait(play(startedScene(limits), launched(1)), 1000);
  const passed = post(post(unacked, launched(2)), hangUp);
  expect(effectsOf(passed, "signalProcess")).toEqual([{ type: "signalProcess", pid: 202, signal: "SIGHUP" }]);
  expect(effectsOf(passed, "log")[0]?.event.fields).toEqual({ signal: "SIGHUP", workers: 1 });
});
