/** One life of a fleet, step by step, with everything that must hold checked after each. */
import { nextDeadline } from "../../../src/core/deadline.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { Event } from "../../../src/core/event.ts";
import { createFleet, type Fleet, type FleetLimits } from "../../../src/core/fleet.ts";
import { transition } from "../../../src/core/transition.ts";
import { checkStep, type Step } from "./invariants.ts";
import { Model } from "./model.ts";
import { World } from "./world.ts";

export class Run {
  readonly limits: FleetLimits;
  fleet: Fleet;
  world: World;
  model: Model;
  nowMs = 1000;
  steps = 0;
  /** The last few, for the message of a failure. */
  history: { readonly atMs: number; readonly event: Event }[] = [];

  constructor(limits: FleetLimits, seed: number) {
    this.limits = limits;
    this.fleet = createFleet(limits, "w", seed);
    this.world = new World(limits);
    this.model = new Model(limits);
  }

  clone(): Run {
    const copy = new Run(this.limits, 1);
    copy.fleet = this.fleet;
    copy.world = this.world.clone();
    copy.model = this.model.clone();
    copy.nowMs = this.nowMs;
    copy.steps = this.steps;
    copy.history = [...this.history];
    return copy;
  }

  step(event: Event): readonly Effect[] {
    const { fleet: before, world, model, nowMs } = this;
    this.steps += 1;
    this.history = [...this.history.slice(-39), { atMs: nowMs, event }];
    const isOver = world.exits.length > 0;
    if (!isOver) model.observe(world, event, nowMs);
    world.deliver(event, nowMs);
    if (!isOver) model.settle(world, nowMs);
    const { state, effects } = transition(before, event, nowMs);
    this.fleet = state;
    const step: Step = { before, event, after: state, effects, nowMs };
    checkStep(step, world, model);
    return effects;
  }

  deliverOwed(): void {
    const { owed } = this.world;
    for (let event = owed.shift(); event !== undefined; event = owed.shift()) this.step(event);
  }

  wakeIfDue(): void {
    const dueMs = nextDeadline(this.fleet) ?? Number.POSITIVE_INFINITY;
    if (dueMs <= this.nowMs) this.step({ type: "deadlineReached" });
  }

  get isOver(): boolean {
    return this.world.exits.length > 0;
  }
}
