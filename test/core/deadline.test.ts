import { describe, expect, test } from "bun:test";
import { nextDeadline } from "../../src/core/deadline.ts";
import { fleetLimits, preloaderLimits, programLimits, rubyLimits } from "./support/limits.ts";
import {
  acked,
  beginMs,
  effectsOf,
  exited,
  idleScene,
  launched,
  occupantOf,
  play,
  post,
  preloaderLaunched,
  preloaderReady,
  type Scene,
  startedScene,
  sweep,
  terminate,
  wait,
} from "./support/scene.ts";
import { tables } from "./table/tables.ts";

/** More than any chain of deadlines that can fall on one moment. */
const chainLimit = 5;

function dueOf({ fleet }: Scene): number | undefined {
  return nextDeadline(fleet);
}

/** From begin on: `undefined` when nothing is due. */
function dueIn(scene: Scene): number | undefined {
  const dueMs = dueOf(scene);
  return dueMs === undefined ? undefined : dueMs - beginMs;
}

describe("whatever has happened, a deadline that is reached is done with", () => {
  for (const { title, states, events } of tables) {
    test(title, () => {
      for (const state of Object.values(states)) {
        expectProgress(state.run());
        for (const event of Object.values(events)) expectProgress(event.run(state.run()));
      }
    });
  }
});

function expectProgress(scene: Scene): void {
  let at = scene;
  for (let round = 0; round < chainLimit; round += 1) {
    const dueMs = dueOf(at);
    if (dueMs === undefined) return;
    const nowMs = Math.max(dueMs, at.nowMs);
    at = post({ ...at, nowMs }, { type: "deadlineReached" });
    if ((dueOf(at) ?? Number.POSITIVE_INFINITY) > nowMs) return;
  }
  throw new Error(`${dueOf(at)} ms is due for ever`);
}

describe("the next deadline", () => {
  const pair = programLimits({ count: 2, needsAck: true, ackTimeoutMs: 12_000 });

  test("is none before the start and after the end", () => {
    const idle = idleScene(fleetLimits([pair, rubyLimits()]));
    expect(dueOf(idle)).toBeUndefined();
    const stopped = play(post(idle, terminate), { type: "childrenGone" });
    expect(stopped.fleet.phase.kind).toBe("stopped");
    expect(dueOf(stopped)).toBeUndefined();
  });

  test("is none while all is well", () => {
    const running = play(startedScene(fleetLimits([pair])), launched(1), launched(2), acked(1), acked(2));
    expect(dueOf(running)).toBeUndefined();
  });

  test("is the earliest of all", () => {
    const requested = startedScene(fleetLimits([pair]));
    expect(dueIn(requested)).toBe(30_000);
    expect(dueIn(post(requested, launched(1)))).toBe(12_000);
    expect(dueIn(play(requested, launched(1), exited(1), launched(3)))).toBe(5000); // A stray's KILL.
  });

  test("is never a slot's backoff once the set is faulted", () => {
    const limits = programLimits({ restart: { ...programLimits().restart, intensity: 1 } });
    const faulted = play(startedScene(fleetLimits([limits])), launched(1), exited(1), launched(2), exited(2));
    expect(occupantOf(faulted).phase).toBe("backingOff");
    expect(dueOf(sweep(faulted))).toBeUndefined();
  });

  test("is never a slot's backoff once a stop has begun", () => {
    const drain = fleetLimits([programLimits({ count: 2 })], { drainDelayMs: 2000 });
    const twice = play(startedScene(drain), launched(1), launched(2), exited(2), launched(3), terminate);
    const backingOff = sweep(post(twice, exited(3)));
    expect(occupantOf(backingOff, 1).phase).toBe("backingOff");
    expect(dueIn(backingOff)).toBe(2000);
  });
});

describe("two timeouts at the same moment", () => {
  const loaded = (count: number) =>
    play(startedScene(fleetLimits([rubyLimits({ count })])), preloaderLaunched(1), preloaderReady(1));

  test("of acks: each is counted and each worker is stopped", () => {
    const late = wait(play(loaded(2), launched(1), launched(2)), 12_000);
    expect(effectsOf(late, "signalProcess").map(({ pid }) => pid)).toEqual([201, 202]);
    expect(late.fleet.sets[0]?.deaths).toHaveLength(2);
  });

  test("of launches behind one preloader: one death, the others are withdrawn with it", () => {
    const late = wait(loaded(3), 30_000);
    expect(late.fleet.sets[0]?.deaths).toHaveLength(1);
    expect([0, 1, 2].map((slot) => occupantOf(late, slot).phase)).toEqual([
      "abandoned",
      "requested",
      "requested",
    ]);
    expect(effectsOf(late, "signalProcess").map(({ pid }) => pid)).toEqual([101]);
    expect(dueOf(late)).toBe(late.nowMs + preloaderLimits.stopTimeoutMs);
  });

  test("of programs' launches: each is counted", () => {
    const late = wait(startedScene(fleetLimits([programLimits({ count: 2 })])), 30_000);
    expect(late.fleet.sets[0]?.deaths).toHaveLength(2);
    expect(dueOf(late)).toBeUndefined();
  });

  test("of a grace period and of the stop: the worker is killed, and counted, once", () => {
    const limits = fleetLimits([programLimits({ stopTimeoutMs: 25_000 })]);
    const late = wait(play(startedScene(limits), launched(1), terminate), 25_000);
    expect(effectsOf(late, "signalProcess").map(({ signal }) => signal)).toEqual(["SIGKILL"]);
    expect(late.fleet.phase).toMatchObject({ kind: "killing", killed: 1 });
  });

  test("a grace period of nothing ends within the same moment", () => {
    const limits = fleetLimits([rubyLimits({ stopTimeoutMs: 0 })]);
    const begun = play(startedScene(limits), preloaderLaunched(1), preloaderReady(1), launched(1));
    const asked = wait(begun, 12_000);
    expect(dueOf(asked)).toBe(asked.nowMs);
    const killed = wait(asked, 0);
    expect(effectsOf(killed, "signalProcess").map(({ signal }) => signal)).toEqual(["SIGKILL"]);
    expect(dueOf(killed)).toBeUndefined();
  });
});
