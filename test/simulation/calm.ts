/**
 * Faults have ceased: whatever is due happens, in any order, and the time passes only when nothing is due. Everything must
 * come right within the sum of the timeouts.
 */
import type { Dice } from "../core/random/dice.ts";
import { longestRecoveryMs, longestStopMs } from "./limits.ts";
import { GateProgram, MiddleProgram } from "./programs/double-fork.ts";
import { signals } from "./programs/manners.ts";
import { PreloaderProgram } from "./programs/preloader.ts";
import { stateOf } from "./verdict-check.ts";
import { hold, Violation } from "./violation.ts";
import type { World } from "./world.ts";

const stepLimit = 20_000;
const killedGraceMs = 1000;
/** Alarms are rounded up to whole milliseconds, one after the other. */
const roundingMs = 10;

export function recover(world: World, dice: Dice): number {
  const { machine, watcher, ledger } = world;
  beginCalm(world);
  heal(world);
  const untilMs = machine.clock.nowMs + longestRecoveryMs(world.limits);
  const steps = calmDown(world, dice, untilMs, () => world.isAtRest && world.isSettled);
  if (!ledger.hasExited) world.checkRest();
  machine.fates.isCalm = false;
  watcher.calmSinceMs = Number.POSITIVE_INFINITY;
  return steps;
}

export function end(world: World, dice: Dice): number {
  const { machine, production, ledger } = world;
  beginCalm(world);
  let steps = 0;
  if (ledger.stopSinceMs === undefined) {
    production.onSignal(dice.chance(0.1) ? "SIGQUIT" : "SIGTERM");
    world.settle();
  }
  let untilMs = machine.clock.nowMs + longestStopMs(world.limits);
  if (dice.chance(0.4)) {
    const patience = dice.below(30);
    steps += calmDown(world, dice, untilMs, (done) => done >= patience);
    if (!world.isOver) production.onSignal("SIGINT");
    world.settle();
    if (ledger.killingSinceMs !== undefined) untilMs = machine.clock.nowMs + killedGraceMs;
  }
  return steps + calmDown(world, dice, untilMs, () => false);
}

/**
 * Whoever sleeps for ever wakes, and where no timeout would find a silent worker out, it acks. All else that hangs is the
 * supervisor's to notice.
 */
function heal({ machine, ledger, starter }: World): void {
  for (const process of [...machine.kernel.processes.items]) {
    machine.kernel.setStuck(process, false);
    const { program } = process;
    // A preloader that has closed its connection and doesn't know looks after nobody's time any more; and while a fork of
    // its hangs that has the connection open as well, the supervisor can't know either.
    const isForgotten =
      process.parent?.program instanceof PreloaderProgram && process.parent.program.isAdrift;
    if (program instanceof MiddleProgram && (program.isOutOfReach || isForgotten))
      machine.kernel.signal(process, signals.kill);
    const fact = process.worker;
    // A worker's preloader may have stopped between announcing it and opening its gate.
    // Nor does anybody notice that a process forked ahead of need is stopped, before it is the one that is needed.
    const isForked = program instanceof GateProgram || program instanceof MiddleProgram;
    const isAwaited = program instanceof PreloaderProgram || isForked || fact?.process === process;
    const isFoundOut = fact !== undefined && ledger.setOf(fact).limits.ackTimeoutMs !== undefined;
    if (isAwaited && !isFoundOut) machine.kernel.signal(process, signals.continue);
  }
  for (const worker of [...starter.workers.items]) worker.heal();
}

function beginCalm({ machine, watcher }: World): void {
  machine.fates.isCalm = true;
  machine.kernel.refusals = 0;
  watcher.calmSinceMs = machine.clock.nowMs;
}

/** @returns the number of steps that it took. */
function calmDown(world: World, dice: Dice, untilMs: number, isDone: (steps: number) => boolean): number {
  for (let steps = 0; steps < stepLimit; steps += 1) {
    if (world.isOver || isDone(steps)) return steps;
    calmStep(world, dice);
    const { nowMs } = world.machine.clock;
    hold(nowMs <= untilMs + roundingMs, "everything comes right within the sum of the timeouts", () =>
      describe(world),
    );
  }
  throw new Violation("everything comes right", `${stepLimit} steps are not enough: ${describe(world)}`);
}

function calmStep(world: World, dice: Dice): void {
  const { inbox, kernel, clock } = world.machine;
  const due = dice.below(inbox.sources.size + kernel.runnable.size);
  const source = inbox.sources.items[due];
  const process = kernel.runnable.items[due - inbox.sources.size];
  if (source !== undefined) source.deliver(dice);
  else if (process !== undefined) process.program?.run(dice);
  else {
    const timer = clock.nextTimer();
    hold(timer !== undefined, "nobody waits for ever", () => describe(world));
    clock.fire(timer);
  }
  world.settle();
}

function describe({ ledger, machine }: World): string {
  const states = ledger.sets.map((_, set) => stateOf(ledger, set));
  const left = machine.kernel.processes.items.map(({ name, state }) => `${name} ${state}`);
  return `${states.join(", ")} with ${left.join(", ") || "nobody left"}`;
}
