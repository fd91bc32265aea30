/** What must hold after every event, whatever came before (specification section 3). */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { Event, WorkerId } from "../../../src/core/event.ts";
import { eachWorker, type Fleet } from "../../../src/core/fleet.ts";
import type { SetHealth } from "../../../src/core/health.ts";
import { transition } from "../../../src/core/transition.ts";
import { judge } from "../../../src/core/verdict.ts";
import { checkDone, earliestDue } from "./expectations.ts";
import { isReady, type Model, readyOf } from "./model.ts";
import type { WorkerFact, World } from "./world.ts";

export type Step = {
  readonly before: Fleet;
  readonly event: Event;
  readonly after: Fleet;
  readonly effects: readonly Effect[];
  readonly nowMs: number;
};

/** More than any chain of deadlines that can fall on one millisecond (ask, kill, kill everything, give up). */
const chainLimit = 5;

export function checkStep(step: Step, world: World, model: Model): void {
  if (world.exits.length > 0)
    return expect(step.effects.length === 0, "something is asked for after the exit");
  checkLaunches(step, world, model);
  checkReadyStay(step, world, model);
  checkKills(step, world);
  world.apply(step.effects, step.nowMs);
  checkExit(step, world);
  checkSlots(step, world);
  checkCounts(world);
  checkVerdict(step, world, model);
  if (world.exits.length > 0) return;
  checkDone(world, model, step.nowMs);
  const dueMs = earliestDue(world, model);
  expect(dueMs >= (nextDeadline(step.after) ?? Number.POSITIVE_INFINITY), `${dueMs} ms would be overslept`);
  checkProgress(step);
}

function expect(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation);
}

function checkLaunches({ effects, nowMs }: Step, world: World, model: Model): void {
  for (const effect of effects) {
    const isLaunch = effect.type === "executeWorker" || effect.type === "spawnWorker";
    if (!isLaunch && effect.type !== "startPreloader") continue;
    expect(model.isStarted, `${effect.type} before the start`);
    expect(model.stopSinceMs === undefined && world.exits.length === 0, `${effect.type} after a stop`);
    if (!isLaunch) continue;
    const set = model.sets[effect.set];
    expect(set?.isFaulted === false, `${effect.type} for a faulted set`);
    const notBeforeMs = set?.delays[effect.slot]?.notBeforeMs ?? nowMs;
    expect(nowMs >= notBeforeMs, `${effect.type} in a slot that must wait until ${notBeforeMs} ms`);
  }
}

/** Who is ready is asked to go by a stop alone, and not before the drain is over. */
function checkReadyStay({ effects, nowMs }: Step, world: World, model: Model): void {
  const { stopSinceMs, limits } = model;
  if (model.kill.killingSinceMs !== undefined) return;
  if (stopSinceMs !== undefined && nowMs >= stopSinceMs + limits.drainDelayMs) return;
  for (const effect of effects) {
    if (effect.type !== "signalProcess" || effect.signal !== "SIGTERM") continue;
    const fact = [...world.workers.values()].find(({ pid }) => pid === effect.pid);
    expect(fact === undefined || !isReady(fact, world), `${effect.pid} is ready, and is asked to go`);
  }
}

/** KILL comes after the grace period, or when everything is killed. */
function checkKills({ effects, after, nowMs }: Step, world: World): void {
  if (after.phase.kind === "killing" || after.phase.kind === "stopped") return;
  const askedNow = new Set<number>();
  for (const effect of effects) {
    if (effect.type !== "signalProcess") continue;
    if (effect.signal === "SIGTERM") askedNow.add(effect.pid);
    if (effect.signal !== "SIGKILL") continue;
    const askedAtMs = world.leaderOf(effect.pid)?.askedAtMs ?? (askedNow.has(effect.pid) ? nowMs : undefined);
    const isDue = askedAtMs !== undefined && nowMs >= askedAtMs + graceOf(world, effect.pid);
    expect(isDue, `process ${effect.pid} is killed within its grace period`);
  }
}

function graceOf(world: World, pid: number): number {
  const index = world.preloaders.findIndex((fact) => fact?.pid === pid);
  const worker = [...world.workers.values()].find((fact) => fact.pid === pid);
  const limits = worker === undefined ? world.limits.preloaders[index] : world.setOf(worker);
  if (limits === undefined) throw new Error(`there is no process ${pid}`);
  return limits.stopTimeoutMs;
}

function checkExit({ after, event, effects }: Step, world: World): void {
  expect(world.exits.length <= 1, "the exit comes twice");
  expect(
    (after.phase.kind === "stopped") === world.exits.length > 0,
    "stopped without an exit, or the reverse",
  );
  if (!effects.some(({ type }) => type === "exit")) return;
  // What can't be reaped even after KILL is given up, but only when the time for it is over.
  const hasGivenUp = event.type === "deadlineReached";
  expect(hasGivenUp || !world.hasProcesses(), "the exit comes while there are processes");
}

/** The core's slots and the world's workers are the same, one by one; so an exit clears one slot and no other. */
function checkSlots({ before, event, after }: Step, world: World): void {
  const ids = new Set<WorkerId>();
  for (const { set, slot, worker } of eachWorker(after)) {
    expect(!ids.has(worker.id), `${worker.id} has two slots`);
    ids.add(worker.id);
    const fact = world.workers.get(worker.id);
    expect(
      fact?.set === set && fact.slot === slot,
      `${worker.id} is in slot ${set}.${slot}, but is not there`,
    );
    expect(("pid" in worker ? worker.pid : undefined) === fact?.pid, `${worker.id} has another pid`);
  }
  for (const id of world.workers.keys()) expect(ids.has(id), `${id} is there, but has no slot`);
  if (event.type !== "workerExited") return;
  for (const { worker } of eachWorker(before)) {
    expect(ids.has(worker.id) !== (worker.id === event.id), `the exit of ${event.id} touched ${worker.id}`);
  }
}

function checkCounts(world: World): void {
  for (const [set, { count, maxStarting }] of world.limits.sets.entries()) {
    const wanted = world.workersOf(set).filter((fact) => fact.askedAtMs === undefined);
    expect(wanted.length <= count, `${wanted.length} workers of set ${set}, which has ${count}`);
    const starting = wanted.filter((fact) => !fact.isAbandoned && isStarting(fact, world));
    expect(
      starting.length <= (maxStarting ?? count),
      `${starting.length} workers of set ${set} start at once`,
    );
  }
}

function isStarting(fact: WorkerFact, world: World): boolean {
  return fact.pid === undefined || (world.setOf(fact).needsAck && !fact.isAcked);
}

function checkVerdict({ after, nowMs }: Step, world: World, model: Model): void {
  const verdict = judge(after, nowMs);
  const should = model.verdict(world);
  for (const answer of ["overall", "ready", "live"] as const) {
    expect(verdict[answer] === should[answer], `health says ${answer}=${verdict[answer]}`);
  }
  for (const [set, health] of verdict.sets.entries()) {
    checkDeaths(health, after.sets[set]?.isFaulted === true, model, set, nowMs);
    const state = model.stateOf(world, set);
    expect(health.state === state, `health says that set ${set} is ${health.state}, it is ${state}`);
    const ready = readyOf(world, set);
    expect(health.ready === ready, `health says ${health.ready} of set ${set} are ready, ${ready} are`);
  }
}

function checkDeaths(health: SetHealth, isFaulted: boolean, model: Model, set: number, nowMs: number): void {
  const shouldBe = model.sets[set]?.isFaulted;
  expect(isFaulted === shouldBe, `set ${set} should be ${shouldBe ? "" : "not "}faulted`);
  const deaths = model.recentDeaths(set, nowMs);
  expect(health.deaths === deaths, `${health.deaths} deaths of set ${set} are counted, there were ${deaths}`);
}

/** Told at the time that it asked for, the core never asks for that same time for ever: no busy loop. */
function checkProgress({ after, nowMs }: Step): void {
  let state = after;
  const first = nextDeadline(state);
  if (first === undefined) return;
  expect(!Number.isNaN(first), "the next deadline is no number");
  const atMs = Math.max(first, nowMs);
  for (let round = 0; round < chainLimit; round += 1) {
    state = transition(state, { type: "deadlineReached" }, atMs).state;
    if ((nextDeadline(state) ?? Number.POSITIVE_INFINITY) > atMs) return;
  }
  throw new Error(`the deadline of ${first} ms is never done with`);
}
