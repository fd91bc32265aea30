import { describe, expect, test } from "bun:test";
import type { Effect } from "../../src/core/effect.ts";
import { fleetLimits, programLimits, rubyLimits } from "./support/limits.ts";
import {
  effectsOf,
  exited,
  launched,
  launchFailed,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  type Scene,
  startedScene,
  wait,
} from "./support/scene.ts";

const begin = () => startedScene(fleetLimits([programLimits({ count: 2 })]));
const died = () => play(begin(), launched(1, 300), exited(1));

function groupSignals(scene: Scene): Pick<Extract<Effect, { type: "signalGroup" }>, "pgid" | "signal">[] {
  return effectsOf(scene, "signalGroup").map(({ pgid, signal }) => ({ pgid, signal }));
}

describe("what is left in the group of a worker that has exited", () => {
  test("gets TERM at once and KILL after the grace period", () => {
    expect(groupSignals(died())).toEqual([{ pgid: 300, signal: "SIGTERM" }]);
    expect(groupSignals(wait(died(), 4999))).toEqual([]);
    const late = wait(died(), 5000);
    expect(groupSignals(late)).toEqual([{ pgid: 300, signal: "SIGKILL" }]);
    expect(late.fleet.strays).toEqual([]);
  });

  test("gets nothing more when the group is gone", () => {
    const gone = post(died(), { type: "groupGone", pgid: 300 });
    expect(groupSignals(wait(gone, 5000))).toEqual([]);
  });

  test("is not looked for when the pid was never told", () => {
    expect(groupSignals(post(begin(), exited(1)))).toEqual([]);
    expect(groupSignals(post(begin(), launchFailed(1)))).toEqual([]);
  });

  test("of a preloader is treated the same", () => {
    const ready = play(startedScene(fleetLimits([rubyLimits()])), preloaderLaunched(1), preloaderReady(1));
    const gone = post(ready, preloaderExited(1));
    expect(groupSignals(gone)).toEqual([{ pgid: 101, signal: "SIGTERM" }]);
    expect(groupSignals(wait(gone, 3000))).toEqual([{ pgid: 101, signal: "SIGKILL" }]);
  });
});

describe("a pid that the kernel has used again", () => {
  test("by a worker: the KILL for the old group does not hit it", () => {
    const reused = post(died(), launched(3, 300));
    expect(reused.fleet.strays).toEqual([]);
    expect(groupSignals(wait(reused, 5000))).toEqual([]);
  });

  test("by a worker that came too late", () => {
    const late = wait(begin(), 30_000);
    const strayed = post(post(late, launched(1, 300)), exited(1));
    expect(strayed.fleet.strays).toMatchObject([{ pgid: 300 }]);
    expect(post(strayed, launched(2, 300)).fleet.strays).toEqual([]);
  });

  test("by a preloader", () => {
    const ready = play(
      startedScene(fleetLimits([rubyLimits()])),
      preloaderLaunched(1),
      preloaderReady(1),
      launched(1, 102),
      exited(1),
    );
    expect(ready.fleet.strays).toMatchObject([{ pgid: 102 }]);
    const reused = play(ready, preloaderExited(1), preloaderLaunched(2));
    expect(reused.fleet.strays).toMatchObject([{ pgid: 101 }]);
  });
});
