import { describe, expect, test } from "bun:test";
import {
  countReady,
  createFleet,
  eachWorker,
  findWorker,
  isStop,
  wasIssued,
  workerIdOf,
} from "../../src/core/fleet.ts";
import { fleetLimits, programLimits, rubyLimits } from "./support/limits.ts";
import { exited, id, idleScene, launched, play, post, startedScene, terminate } from "./support/scene.ts";

const limits = fleetLimits([programLimits({ count: 2 }), programLimits({ name: "jobs", count: 1 })]);

describe("a new fleet", () => {
  test("is idle, with vacant slots and preloaders that have not been started", () => {
    const fleet = createFleet(fleetLimits([rubyLimits({ count: 3 })]), "w", 1);
    expect(fleet.phase).toEqual({ kind: "idle" });
    expect(fleet.sets[0]?.slots.map(({ occupant }) => occupant.phase)).toEqual([
      "vacant",
      "vacant",
      "vacant",
    ]);
    expect(fleet.preloaders.map(({ generation, process }) => [generation, process.phase])).toEqual([
      [0, "waiting"],
    ]);
    expect([...eachWorker(fleet)]).toEqual([]);
  });
});

describe("workers", () => {
  const scene = play(startedScene(limits), launched(2), launched(3));

  test("are found by their id, with their place", () => {
    expect(findWorker(scene.fleet, id(3))).toMatchObject({ set: 1, slot: 0, worker: { phase: "ready" } });
    expect(findWorker(scene.fleet, "w-4")).toBeUndefined();
  });

  test("are counted by set", () => {
    expect(scene.fleet.sets.map(countReady)).toEqual([1, 1]);
  });

  test("have ids that no earlier one had", () => {
    const later = play(scene, exited(2), exited(3));
    expect([...eachWorker(later.fleet)].map(({ worker }) => worker.id)).toEqual(["w-1", "w-4", "w-5"]);
  });
});

describe("wasIssued", () => {
  const { fleet } = play(startedScene(limits), exited(1));

  test("knows every worker that was ever asked for, gone or not", () => {
    for (const launch of [1, 2, 3, 4]) expect(wasIssued(fleet, workerIdOf(fleet, launch))).toBe(true);
  });

  test.each(["w-5", "w-0", "w--1", "w-1.0", "w-01", "w-1e0", "w-0x1", "w- 1", "w-", "w", "", "x-1", "w-1 "])(
    "%p was never ours",
    (foreign) => {
      expect(wasIssued(fleet, foreign)).toBe(false);
    },
  );

  test("nothing was issued before the start", () => {
    expect(wasIssued(idleScene(limits).fleet, "w-1")).toBe(false);
  });
});

test("a stop is every phase after serving", () => {
  const idle = idleScene(limits);
  const serving = post(idle, { type: "started" });
  expect([idle, serving].map(({ fleet }) => isStop(fleet.phase))).toEqual([false, false]);
  expect(isStop(post(serving, terminate).fleet.phase)).toBe(true);
});
