/**
 * Every sequence of events up to a length, for a fleet of one worker or two. What leads to a state that has been seen with
 * as many events still to come is not followed again.
 */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { Event } from "../../../src/core/event.ts";
import type { FleetLimits } from "../../../src/core/fleet.ts";
import { calmDown, type Manners } from "./calm.ts";
import { buryStray } from "./chaos.ts";
import { Run } from "./run.ts";

type Move = (run: Run) => void;
export type Tally = { readonly states: number; readonly steps: number };

const manners: Manners = { isStubborn: (pid) => pid % 2 === 0, isStuck: () => false };

export function tryEverySequence(limits: FleetLimits, length: number): Tally {
  const seen = new Map<string, number>();
  let steps = 0;
  const follow = (run: Run, left: number): void => {
    const key = keyOf(run);
    if ((seen.get(key) ?? -1) >= left) return;
    if (!seen.has(key)) endWell(run);
    seen.set(key, left);
    if (left === 0) return;
    for (const move of possibleMoves(run)) {
      const next = run.clone();
      steps += 1;
      explain(next, () => move(next));
      follow(next, left - 1);
    }
  };
  follow(new Run(limits, 7), length);
  return { states: seen.size, steps };
}

function explain(run: Run, action: () => void): void {
  try {
    action();
  } catch (error) {
    const story = run.history.map(({ atMs, event }) => `${atMs} ms ${JSON.stringify(event)}`).join("\n");
    throw new Error(`${(error as Error).message}\n${story}`, { cause: error }); // Only Errors are thrown here.
  }
}

function happen(run: Run, event: Event): void {
  if (event.type === "deadlineReached") run.nowMs = Math.max(run.nowMs, nextDeadline(run.fleet) ?? 0);
  run.step(event);
  run.deliverOwed();
}

function loseStray(run: Run, isTold: boolean): void {
  const stray = run.world.strays[0];
  if (stray !== undefined) buryStray(run, stray, isTold);
}

/** From wherever we are: faults cease and the set runs or is faulted; a stop comes to its end, whichever came first. */
function endWell(run: Run): void {
  if (run.isOver) return;
  const stopped = run.clone();
  explain(stopped, () => {
    if (stopped.model.stopSinceMs === undefined) stopped.step({ type: "stopRequested", signal: "SIGTERM" });
    calmDown(stopped, manners, () => stopped.isOver);
  });
  if (run.model.stopSinceMs !== undefined || !run.model.isStarted) return;
  const calmed = run.clone();
  explain(calmed, () => calmDown(calmed, manners, () => isSettled(calmed)));
}

/** Draining: it is faulted, and `on_fault` says "exit". */
function isSettled({ model, world }: Run): boolean {
  const state = model.stateOf(world, 0);
  return state === "running" || state === "faulted" || state === "draining";
}

function possibleMoves(run: Run): Move[] {
  const events = [...commonEvents(run), ...workerEvents(run), ...preloaderEvents(run)];
  const moves: Move[] = events.map((event) => (next) => happen(next, event));
  if (run.world.strays.length === 0) return moves;
  return [...moves, (next) => loseStray(next, true), (next) => loseStray(next, false)];
}

function commonEvents({ world, model }: Run): Event[] {
  const events: Event[] = [
    { type: "deadlineReached" },
    { type: "stopRequested", signal: "SIGTERM" },
    { type: "killRequested", signal: "SIGQUIT" },
    { type: "signalReceived", signal: "SIGHUP" },
  ];
  if (!model.isStarted) events.push({ type: "started" });
  if (!world.hasProcesses()) events.push({ type: "childrenGone" });
  return events;
}

function workerEvents({ world }: Run): Event[] {
  const ids = world.workers.size > 0 ? [...world.workers.keys()] : [world.gone.at(-1) ?? "w-1"];
  return ids.flatMap((id): Event[] => [
    { type: "workerLaunched", id, pid: world.freePid() },
    { type: "workerLaunchFailed", id, message: "ENOENT" },
    { type: "workerLaunchFailed", id, message: "no more", shortage: "EAGAIN" },
    { type: "workerAcked", id },
    { type: "workerExited", id, exit: { kind: "exited", code: 1 } },
  ]);
}

function preloaderEvents({ world }: Run): Event[] {
  if (world.preloaders.length === 0) return [];
  const ref = { preloader: 0, generation: world.preloaders[0]?.generation ?? 1 };
  return [
    { type: "preloaderLaunched", ...ref, pid: world.freePid() },
    { type: "preloaderLaunchFailed", ...ref, message: "ENOENT" },
    { type: "preloaderLaunchFailed", ...ref, message: "no more", shortage: "EAGAIN" },
    { type: "preloaderConnected", ...ref },
    { type: "preloaderReady", ...ref },
    { type: "preloaderDisconnected", ...ref, reason: "end of file" },
    { type: "preloaderExited", ...ref, exit: { kind: "exited", code: 1 } },
  ];
}

/** Everything that can make a difference later. */
function keyOf({ fleet, world, model, nowMs }: Run): string {
  const { limits: _, ...rest } = fleet;
  const facts = [[...world.workers.values()], world.preloaders, world.strays, world.sweep, world.exits];
  return JSON.stringify([
    nowMs,
    rest,
    facts,
    model.sets,
    model.failures,
    model.isStarted,
    model.stopSinceMs,
    model.kill,
  ]);
}
