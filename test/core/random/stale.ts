/** Events that are late, repeated, foreign or impossible: none of them may change anything. */
import type { Event } from "../../../src/core/event.ts";
import { transition } from "../../../src/core/transition.ts";
import type { Dice } from "./dice.ts";
import type { Run } from "./run.ts";

/** The very same must follow from an event that says nothing at all. */
const nothing: Event = { type: "groupGone", pgid: -1 };

export function tellStale(run: Run, dice: Dice): void {
  const event = dice.pick([...staleWorkerEvents(run, dice), ...stalePreloaderEvents(run, dice)]);
  if (event === undefined) return;
  const { fleet, nowMs } = run;
  const expected = transition(fleet, nothing, nowMs);
  run.step(event);
  if (Bun.deepEquals(run.fleet, expected.state)) return;
  throw new Error(`a stale ${JSON.stringify(event)} changed the fleet`);
}

function staleWorkerEvents({ world, model }: Run, dice: Dice): Event[] {
  const id = dice.pick(world.gone) ?? "w-999";
  const foreign = dice.oneOf("w-0", "w-1e3", "x-1", "");
  const events: Event[] = [
    { type: "workerLaunched", id, pid: world.freePid() },
    { type: "workerAcked", id: dice.oneOf(id, foreign) },
    { type: "workerExited", id: dice.oneOf(id, foreign), exit: { kind: "exited", code: 0 } },
    { type: "workerLaunchFailed", id, message: "late" },
  ];
  if (model.isStarted) events.push({ type: "started" });
  const pending = dice.pick([...world.workers.values()].filter(({ pid }) => pid === undefined));
  if (pending !== undefined) events.push({ type: "workerAcked", id: pending.id });
  const alive = dice.pick([...world.workers.values()].filter(({ pid }) => pid !== undefined));
  if (alive !== undefined) {
    events.push({ type: "workerLaunched", id: alive.id, pid: world.freePid() });
    events.push({ type: "workerLaunchFailed", id: alive.id, message: "impossible" });
  }
  return events;
}

function stalePreloaderEvents({ world }: Run, dice: Dice): Event[] {
  if (world.preloaders.length === 0) return [];
  const preloader = dice.below(world.preloaders.length);
  const generation = (world.preloaders[preloader]?.generation ?? 0) + dice.oneOf(-1, 1);
  const ref = { preloader, generation };
  const events: Event[] = [
    { type: "preloaderLaunched", ...ref, pid: world.freePid() },
    { type: "preloaderLaunchFailed", ...ref, message: "late" },
    { type: "preloaderConnected", ...ref },
    { type: "preloaderReady", ...ref },
    { type: "preloaderDisconnected", ...ref, reason: "late" },
    { type: "preloaderGone", ...ref },
    { type: "preloaderExited", ...ref, exit: { kind: "exited", code: 0 } },
  ];
  const current = world.preloaders[preloader];
  if (current?.pid === undefined) return events;
  const again = { preloader, generation: current.generation };
  events.push({ type: "preloaderLaunched", ...again, pid: world.freePid() });
  events.push({ type: "preloaderLaunchFailed", ...again, message: "impossible" });
  if (current.isReady) events.push({ type: "preloaderReady", ...again });
  return events;
}
