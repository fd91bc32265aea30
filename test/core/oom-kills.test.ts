import { describe, expect, test } from "bun:test";
import type { Ended } from "../../src/core/event.ts";
import { fleetLimits, programLimits, rubyLimits } from "./support/limits.ts";
import {
  acked,
  effectsOf,
  id,
  launched,
  play,
  post,
  preloaderLaunched,
  preloaderReady,
  type Scene,
  startedScene,
  terminate,
  wait,
} from "./support/scene.ts";

const oomKilled: Ended = { exit: { kind: "signaled", signal: 9 }, oomKills: 2 };
const workerOomKilled = { type: "workerExited", id: id(1), ...oomKilled } as const;
const serving = () =>
  play(
    startedScene(fleetLimits([rubyLimits()])),
    preloaderLaunched(1),
    preloaderReady(1),
    launched(1),
    acked(1),
  );

function fieldsOf(scene: Scene, message: string) {
  return effectsOf(scene, "log").find(({ event }) => event.message === message)?.event.fields;
}

describe("kills for lack of memory", () => {
  test("are said where a worker dies", () => {
    const died = post(serving(), workerOomKilled);
    expect(fieldsOf(died, "worker died")).toMatchObject({ exit: "signal KILL", oom_kills: 2, asked: false });
  });

  test("are not said where there were none", () => {
    const { oomKills, ...killed } = workerOomKilled;
    expect(oomKills).toBe(2);
    expect(fieldsOf(post(serving(), killed), "worker died")).toMatchObject({ oom_kills: undefined });
  });

  test("are said where a preloader dies", () => {
    const died = post(serving(), { type: "preloaderExited", preloader: 0, generation: 1, ...oomKilled });
    expect(fieldsOf(died, "preloader died")).toMatchObject({ oom_kills: 2 });
  });

  test("are said of a worker that was only asked to go, and not of one that we killed", () => {
    const stopping = post(play(startedScene(fleetLimits([programLimits()])), launched(1)), terminate);
    expect(fieldsOf(post(stopping, workerOomKilled), "worker stopped")).toMatchObject({ oom_kills: 2 });
    const killed = post(wait(stopping, 60_000), workerOomKilled);
    expect(fieldsOf(killed, "worker killed")).toMatchObject({ exit: "signal KILL", oom_kills: undefined });
  });
});
