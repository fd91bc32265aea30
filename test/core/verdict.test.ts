/** The table of specification section 8, for one set, and for every pair of sets. */
import { describe, expect, test } from "bun:test";
import { eachWorker, type FleetLimits, type SetLimits } from "../../src/core/fleet.ts";
import type { Verdict } from "../../src/core/health.ts";
import { judge } from "../../src/core/verdict.ts";
import { fleetLimits, programLimits, restartLimits, rubyLimits } from "./support/limits.ts";
import {
  acked,
  exited,
  healthOf,
  idleScene,
  launched,
  play,
  post,
  preloaderExited,
  preloaderLaunched,
  preloaderReady,
  quit,
  type Scene,
  startedScene,
  terminate,
  wait,
} from "./support/scene.ts";

type Answers = { readonly overall: boolean; readonly ready: boolean; readonly live: boolean };
type Kind = {
  readonly state: string;
  readonly limits: SetLimits;
  readonly arrange: (scene: Scene, set: number) => Scene;
  readonly answers: Answers;
};

const pair = programLimits({ count: 2, minReady: 1 });
const unready: Answers = { overall: false, ready: false, live: true };

const kinds: readonly Kind[] = [
  { state: "loading", limits: rubyLimits(), arrange: (scene) => scene, answers: unready },
  { state: "starting", limits: { ...pair, needsAck: true }, arrange: launchAll, answers: unready },
  {
    state: "running",
    limits: pair,
    arrange: launchAll,
    answers: { overall: true, ready: true, live: true },
  },
  {
    state: "underprovisioned",
    limits: pair,
    arrange: loseOne,
    answers: { overall: false, ready: true, live: true },
  },
  { state: "underprovisioned", limits: { ...pair, minReady: 2 }, arrange: loseOne, answers: unready },
  {
    state: "faulted",
    limits: { ...pair, restart: { ...restartLimits, intensity: 0 } },
    arrange: loseOne,
    answers: { overall: false, ready: false, live: false },
  },
];

function launchAll(scene: Scene, set: number): Scene {
  const places = [...eachWorker(scene.fleet)].filter((place) => place.set === set);
  const events = places.map(
    ({ worker }, index) => ({ type: "workerLaunched", id: worker.id, pid: 300 + 10 * set + index }) as const,
  );
  return play(scene, ...events);
}

function loseOne(scene: Scene, set: number): Scene {
  const running = launchAll(scene, set);
  const place = [...eachWorker(running.fleet)].find((each) => each.set === set);
  return post(running, {
    type: "workerExited",
    id: place?.worker.id ?? "",
    exit: { kind: "signaled", signal: 9 },
  });
}

function arrange(limits: FleetLimits, arranged: readonly Kind[]): Scene {
  return arranged.reduce((scene, kind, set) => kind.arrange(scene, set), startedScene(limits));
}

function verdictOf({ fleet, nowMs }: Scene): Verdict {
  return judge(fleet, nowMs);
}

function answersOf(scene: Scene): Answers {
  const { overall, ready, live } = verdictOf(scene);
  return { overall, ready, live };
}

describe("one set", () => {
  for (const kind of kinds) {
    const { state, limits, answers } = kind;
    test(`${state}, min_ready ${limits.minReady} of ${limits.count}`, () => {
      const scene = arrange(fleetLimits([limits]), [kind]);
      expect(String(healthOf(scene).state)).toBe(state);
      expect(answersOf(scene)).toEqual(answers);
    });
  }
});

describe("of two sets the worse one decides", () => {
  for (const first of kinds) {
    for (const second of kinds) {
      const names = [first, second].map(({ state, limits }) => `${state} (min_ready ${limits.minReady})`);
      test(names.join(" and "), () => {
        const scene = arrange(fleetLimits([first.limits, second.limits]), [first, second]);
        expect(verdictOf(scene).sets.map(({ state }) => state as string)).toEqual([
          first.state,
          second.state,
        ]);
        expect(answersOf(scene)).toEqual({
          overall: first.answers.overall && second.answers.overall,
          ready: first.answers.ready && second.answers.ready,
          live: first.answers.live && second.answers.live,
        });
      });
    }
  }
});

describe("a stop", () => {
  test.each(kinds.map((kind) => [`${kind.state}, min_ready ${kind.limits.minReady}`, kind] as const))(
    "of a set that is %s answers 503, and 200 on /livez, at once",
    (_name, kind) => {
      const limits = fleetLimits([kind.limits], { drainDelayMs: 2000 });
      const draining = post(arrange(limits, [kind]), terminate);
      expect(verdictOf(draining).sets.map(({ state }) => state)).toEqual(["draining"]);
      expect(answersOf(draining)).toEqual(unready);
    },
  );

  test("is over when it has stopped", () => {
    const stopped = play(idleScene(fleetLimits([pair])), quit, { type: "childrenGone" });
    expect(healthOf(stopped).state).toBe("stopped");
    expect(answersOf(stopped)).toEqual(unready);
  });
});

describe("what is told of a set", () => {
  const requested = startedScene(fleetLimits([rubyLimits({ count: 2 })]));
  const running = play(
    requested,
    preloaderLaunched(1),
    preloaderReady(1),
    launched(1),
    launched(2),
    acked(1),
    acked(2),
  );

  test("before anything has happened", () => {
    const idle = idleScene(fleetLimits([rubyLimits()]));
    expect(healthOf(idle)).toMatchObject({
      state: "loading",
      detail: "preloader not started yet",
      deaths: 0,
      lastDeath: undefined,
    });
    expect(healthOf(requested).detail).toBe("preloader loading generation 1");
    expect(healthOf(running).detail).toBeUndefined();
  });

  test("its last death, and how long ago that was", () => {
    const dead = post(running, exited(2, 3));
    const later = { ...dead, nowMs: dead.nowMs + 2500.4 };
    expect(healthOf(later)).toMatchObject({
      deaths: 1,
      lastDeath: { cause: "status 3", agoMs: 2500 },
      ready: 1,
    });
    expect(healthOf({ ...dead, nowMs: dead.nowMs + 60_000 }).deaths).toBe(0);
  });

  test("its slots, in order", () => {
    const scene = play(running, exited(2), launched(3), exited(3));
    expect(healthOf({ ...scene, nowMs: scene.nowMs + 10 }).workers).toEqual([
      { slot: 0, id: "w-1", phase: "ready", pid: 201, ageMs: 10 },
      { slot: 1, id: "", phase: "waiting", pid: undefined, ageMs: 0 },
    ]);
  });

  test("an abandoned launch is still a request", () => {
    const abandoned = post(post(running, exited(2)), terminate);
    expect(healthOf(abandoned).workers).toMatchObject([
      { id: "w-1", phase: "stopping", pid: 201 },
      { id: "w-3", phase: "requested", pid: undefined },
    ]);
  });

  test("what its preloader is doing", () => {
    const next = post(running, preloaderExited(1));
    expect(healthOf(next)).toMatchObject({ state: "running", detail: "preloader loading generation 2" });
    const failing = play(next, preloaderLaunched(2), preloaderExited(2));
    expect(healthOf(failing)).toMatchObject({ detail: "preloader backing off after generation 2" });
    const late = wait(post(next, preloaderLaunched(2)), 300_000);
    expect(healthOf(late)).toMatchObject({ detail: "preloader stopping generation 2" });
  });
});
