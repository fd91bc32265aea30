/**
 * The world at its best: whatever is asked for is answered at once, and nothing dies unasked. Processes that are
 * stubborn go only by KILL, and the time passes only when there is nothing left to do.
 */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { Event } from "../../../src/core/event.ts";
import { buryStray, canAnswer, isAsked } from "./chaos.ts";
import type { Run } from "./run.ts";
import type { PreloaderFact, WorkerFact } from "./world.ts";

export type Manners = {
  readonly isStubborn: (pid: number) => boolean;
  /** Not even KILL ends it: a process in an uninterruptible sleep. */
  readonly isStuck: (pid: number) => boolean;
};

const stepLimit = 5000;

/** Until `isDone`; a world in which nothing more can happen before that is a violation. */
export function calmDown(run: Run, manners: Manners, isDone: () => boolean): void {
  for (let steps = 0; steps < stepLimit; steps += 1) {
    run.deliverOwed();
    if (isDone()) return;
    if (buryOne(run, manners)) continue;
    const answer = nextAnswer(run, manners);
    if (answer !== undefined) run.step(answer);
    else passTime(run);
  }
  throw new Error(`nothing has come of ${stepLimit} steps`);
}

function passTime(run: Run): void {
  const dueMs = nextDeadline(run.fleet);
  if (dueMs === undefined) throw new Error("everybody waits, for ever");
  run.nowMs = Math.max(run.nowMs, dueMs);
  run.wakeIfDue();
}

function nextAnswer(run: Run, manners: Manners): Event | undefined {
  const { world } = run;
  for (const fact of world.workers.values()) {
    const answer = answerOf(run, fact, manners);
    if (answer !== undefined) return answer;
  }
  for (const [preloader, fact] of world.preloaders.entries()) {
    const answer = fact && preloaderAnswer(run, preloader, fact, manners);
    if (answer !== undefined) return answer;
  }
  return world.sweep !== undefined && !world.hasProcesses() ? { type: "childrenGone" } : undefined;
}

function answerOf(run: Run, fact: WorkerFact, manners: Manners): Event | undefined {
  const { id } = fact;
  if (fact.pid === undefined) {
    return canAnswer(run, fact) ? { type: "workerLaunched", id, pid: run.world.freePid() } : undefined;
  }
  if (isGoing(fact, fact.pid, manners)) return { type: "workerExited", id, exit: exitOf(fact) };
  if (isAsked(fact) || fact.isAcked || !run.world.setOf(fact).needsAck) return undefined;
  return { type: "workerAcked", id };
}

function preloaderAnswer(
  run: Run,
  preloader: number,
  fact: PreloaderFact,
  manners: Manners,
): Event | undefined {
  const ref = { preloader, generation: fact.generation };
  if (fact.pid === undefined) return { type: "preloaderLaunched", ...ref, pid: run.world.freePid() };
  if (isGoing(fact, fact.pid, manners)) return { type: "preloaderExited", ...ref, exit: exitOf(fact) };
  return fact.isReady || isAsked(fact) ? undefined : { type: "preloaderReady", ...ref };
}

function isGoing(fact: WorkerFact | PreloaderFact, pid: number, { isStubborn, isStuck }: Manners): boolean {
  if (isStuck(pid)) return false;
  return fact.isKilled || (isAsked(fact) && !isStubborn(pid));
}

function exitOf({ isKilled }: WorkerFact | PreloaderFact) {
  return { kind: "signaled", signal: isKilled ? 9 : 15 } as const;
}

function buryOne(run: Run, { isStubborn, isStuck }: Manners): boolean {
  const isGone = ({ pid, isAsked: asked, isKilled }: { pid: number; isAsked: boolean; isKilled: boolean }) =>
    !isStuck(pid) && (isKilled || (asked && !isStubborn(pid)));
  const stray = run.world.strays.find(isGone);
  if (stray !== undefined) buryStray(run, stray, false);
  return stray !== undefined;
}
