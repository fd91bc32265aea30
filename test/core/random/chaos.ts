/** What may happen next: ordinary, unlucky, late, repeated and impossible events, by the dice. */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import type { Dice } from "./dice.ts";
import type { Run } from "./run.ts";
import { tellStale } from "./stale.ts";
import type { PreloaderFact, StrayFact, WorkerFact } from "./world.ts";

/** How often what happens, drawn once for each life, so that lives differ. */
export type Mood = { readonly [action in keyof typeof actions]: number };

export function randomMood(dice: Dice): Mood {
  const often = () => dice.oneOf(0.2, 1, 4);
  return {
    answerLaunch: 5 * often(),
    ack: 4 * often(),
    exit: often(),
    movePreloader: 2 * often(),
    strayDies: often(),
    passTime: 3 * often(),
    wakeEarly: 0.3,
    tellStale: often(),
    forward: 0.3,
    childrenGone: 1,
    stop: dice.oneOf(0, 0, 0.05),
    kill: dice.oneOf(0, 0, 0.02),
  };
}

const actions = {
  answerLaunch,
  ack,
  exit: exitSomeone,
  movePreloader,
  strayDies,
  passTime,
  wakeEarly: (run: Run) => void run.step({ type: "deadlineReached" }),
  tellStale,
  forward: (run: Run) => void run.step({ type: "signalReceived", signal: "SIGHUP" }),
  childrenGone,
  stop: (run: Run) => void run.step({ type: "stopRequested", signal: "SIGTERM" }),
  kill: (run: Run) => void run.step({ type: "killRequested", signal: "SIGQUIT" }),
};

export function act(run: Run, dice: Dice, mood: Mood): void {
  run.deliverOwed();
  if (dice.chance(0.9)) run.wakeIfDue(); // Timers may be late, unlike the supervisor's own answers.
  const entries = Object.entries(actions);
  let at = dice.roll() * Object.values(mood).reduce((sum, weight) => sum + weight, 0);
  for (const [name, action] of entries) {
    at -= mood[name as keyof Mood]; // `Object.entries` forgets that the names are those of `actions`.
    if (at < 0) return action(run, dice);
  }
}

export function randomExit(dice: Dice): ExitStatus {
  return dice.oneOf<ExitStatus>(
    { kind: "exited", code: 0 },
    { kind: "exited", code: 1 },
    { kind: "signaled", signal: 9 },
    { kind: "signaled", signal: 15 },
  );
}

/** Who serves this launch is there to answer it. */
export function canAnswer(run: Run, fact: WorkerFact): boolean {
  return run.world.setOf(fact).preloader === undefined || run.world.servantOf(fact)?.pid !== undefined;
}

function answerLaunch(run: Run, dice: Dice): void {
  const pending = [...run.world.workers.values()].filter((fact) => fact.pid === undefined);
  const fact = dice.pick(pending.filter((each) => canAnswer(run, each)));
  if (fact === undefined) return;
  const { id } = fact;
  if (dice.chance(0.1)) return void run.step({ type: "workerLaunchFailed", id, message: "ENOENT" });
  if (dice.chance(0.1))
    return void run.step({ type: "workerLaunchFailed", id, message: "no more", shortage: "EAGAIN" });
  if (dice.chance(0.9)) return void run.step({ type: "workerLaunched", id, pid: run.world.freePid() });
  // The exit overtakes the announcement, which may still come.
  run.step({ type: "workerExited", id, exit: randomExit(dice) });
  if (dice.chance(0.7)) run.step({ type: "workerLaunched", id, pid: run.world.freePid() });
}

function ack(run: Run, dice: Dice): void {
  const fact = dice.pick([...run.world.workers.values()].filter(({ pid }) => pid !== undefined));
  if (fact !== undefined) run.step({ type: "workerAcked", id: fact.id });
}

function exitSomeone(run: Run, dice: Dice): void {
  const alive = [...run.world.workers.values()].filter(({ pid }) => pid !== undefined);
  const asked = alive.filter(({ askedAtMs }) => askedAtMs !== undefined);
  const fact = dice.pick(asked.length > 0 && dice.chance(0.8) ? asked : alive);
  if (fact !== undefined) run.step({ type: "workerExited", id: fact.id, exit: randomExit(dice) });
}

function movePreloader(run: Run, dice: Dice): void {
  const preloader = dice.below(run.world.preloaders.length);
  const fact = run.world.preloaders[preloader];
  if (fact === undefined) return;
  const ref = { preloader, generation: fact.generation };
  if (dice.chance(0.15)) return void run.step({ type: "preloaderExited", ...ref, exit: randomExit(dice) });
  if (fact.pid === undefined) return launchPreloader(run, dice, ref);
  if (!fact.isReady && dice.chance(0.2)) return void run.step({ type: "preloaderConnected", ...ref });
  if (!fact.isReady && dice.chance(0.6)) return void run.step({ type: "preloaderReady", ...ref });
  if (dice.chance(0.1)) return void run.step({ type: "preloaderDisconnected", ...ref, reason: "end" });
  if (!fact.isReady && dice.chance(0.3)) {
    run.step({ type: "preloaderFailed", ...ref, message: "no such file", backtrace: "app.rb:1" });
  }
}

function launchPreloader(run: Run, dice: Dice, ref: { preloader: number; generation: number }): void {
  const failed = { type: "preloaderLaunchFailed", ...ref, message: "no" } as const;
  const [isFailed, isShort] = [dice.chance(0.1), dice.chance(0.1)];
  if (isFailed) run.step(failed);
  else if (isShort) run.step({ ...failed, shortage: "EAGAIN" });
  else run.step({ type: "preloaderLaunched", ...ref, pid: run.world.freePid() });
}

function strayDies(run: Run, dice: Dice): void {
  const stray = dice.pick(run.world.strays);
  if (stray !== undefined) buryStray(run, stray, dice.chance(0.3));
}

/** @param isTold whether the reaper notices that the group is empty, or only the next signal finds out. */
export function buryStray(run: Run, stray: StrayFact, isTold: boolean): void {
  const { world } = run;
  world.strays = world.strays.filter((other) => other !== stray);
  if (isTold && world.isGroupEmpty(stray.pgid)) run.step({ type: "groupGone", pgid: stray.pgid });
}

function childrenGone(run: Run): void {
  if (!run.world.hasProcesses()) run.step({ type: "childrenGone" });
}

function passTime(run: Run, dice: Dice): void {
  const dueMs = nextDeadline(run.fleet);
  const untilDue = dueMs === undefined ? 1000 : Math.max(0, dueMs - run.nowMs);
  run.nowMs += dice.oneOf(0.25, 10 * dice.roll(), untilDue, untilDue, untilDue + 100 * dice.roll(), 500);
}

export function isAsked({ askedAtMs }: WorkerFact | PreloaderFact): boolean {
  return askedAtMs !== undefined;
}
