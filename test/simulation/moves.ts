/** What may happen next: one thing that is due, or one fault. Each is told by a verb and the name of whom it happens to. */
import type { Dice } from "../core/random/dice.ts";
import { sendAck } from "./programs/ack-sender.ts";
import { GateProgram } from "./programs/double-fork.ts";
import type { World } from "./world.ts";

export type Named = { readonly name: string };

type Move<Target extends Named> = {
  readonly targets: (world: World) => readonly Target[];
  readonly act: (world: World, target: Target, dice: Dice) => void;
};

/** Holds verb, targets and deed together, whatever the targets are. */
export type AnyMove = {
  readonly targets: (world: World) => readonly Named[];
  /** @returns the name of the target that was chosen; undefined: there is none. */
  readonly play: (
    world: World,
    dice: Dice,
    choose: (targets: readonly Named[]) => number,
  ) => string | undefined;
};

function move<Target extends Named>({ targets, act }: Move<Target>): AnyMove {
  return {
    targets,
    play: (world, dice, choose) => {
      const all = targets(world);
      const target = all[choose(all)];
      if (target === undefined) return undefined;
      const { name } = target;
      act(world, target, dice);
      return name;
    },
  };
}

const everybody: readonly Named[] = [{ name: "-" }];

/** A fault that is not one process's. */
function fault(act: (world: World, dice: Dice) => void): AnyMove {
  return move({ targets: () => everybody, act: (world, _, dice) => act(world, dice) });
}

const sources = ({ machine }: World) => machine.inbox.sources.items;
const runnable = ({ machine }: World) => machine.kernel.runnable.items;
const processes = ({ machine }: World) => machine.kernel.processes.items;

export const moves = {
  read: move({ targets: sources, act: (_, source, dice) => source.deliver(dice) }),
  run: move({ targets: runnable, act: (_, process, dice) => process.program?.run(dice) }),
  pass: fault(passTime),
  // From here on: faults.
  kill: move({ targets: processes, act: ({ machine }, process) => machine.kernel.signal(process, 9) }),
  crash: move({
    targets: processes,
    act: ({ machine }, process, dice) => {
      if (process.isStuck || process.isFrozen) return;
      const exit = dice.oneOf(
        { kind: "exited", code: 1 } as const,
        { kind: "signaled", signal: 11 } as const,
      );
      machine.kernel.exit(process, exit);
    },
  }),
  freeze: move({ targets: processes, act: ({ machine }, process) => machine.kernel.signal(process, 19) }),
  thaw: move({ targets: processes, act: ({ machine }, process) => machine.kernel.signal(process, 18) }),
  stick: move({
    targets: processes,
    act: ({ machine }, process) => {
      if (process.state === "alive") machine.kernel.setStuck(process, !process.isStuck);
    },
  }),
  lose: move({ targets: ({ starter }) => starter.preloaders.items, act: (_, preloader) => preloader.lose() }),
  forge: move({ targets: processes, act: (world, process, dice) => forge(world, process, dice) }),
  storm: fault(({ machine }) => {
    for (const process of [...machine.kernel.processes.items]) machine.kernel.signal(process, 9);
  }),
  exhaust: fault(({ machine }, dice) => {
    machine.kernel.refusals = 1 + dice.below(4);
  }),
  leap: fault(({ machine }, dice) => {
    machine.clock.wallOffsetMs += (dice.roll() - 0.5) * 1e9;
  }),
  stall: fault(({ machine }, dice) => {
    machine.clock.nowMs += dice.oneOf(1000, 10_000, 100_000) * dice.roll();
  }),
  poke: fault(({ production }) => production.onSignal("SIGCHLD")),
  forward: fault(({ production }, dice) => production.onSignal(dice.oneOf("SIGHUP", "SIGUSR1"))),
  stop: fault(({ production }, dice) => production.onSignal(dice.oneOf("SIGTERM", "SIGINT"))),
  quit: fault(({ production }) => production.onSignal("SIGQUIT")),
} satisfies Record<string, AnyMove>;

export type Verb = keyof typeof moves;

/** All but what goes on by itself. */
export function isFault(verb: Verb): boolean {
  return verb !== "read" && verb !== "run" && verb !== "pass";
}

/** To the next deadline, or less far; a timer goes off when everything that came long before it has been read. */
function passTime({ machine }: World, dice: Dice): void {
  const { clock, inbox } = machine;
  const limitMs = inbox.patienceMs();
  const next = clock.nextTimer();
  const dueMs = Math.max(clock.nowMs, next?.atMs ?? clock.nowMs + 100);
  if (next === undefined || dueMs > limitMs || dice.chance(0.3)) {
    const untilMs = Math.min(dueMs, limitMs);
    if (untilMs > clock.nowMs) clock.nowMs += (untilMs - clock.nowMs) * dice.roll();
    return;
  }
  // Timers are late when there is much to do, and up to a millisecond early for no reason.
  if (dice.chance(0.2)) clock.nowMs = Math.max(clock.nowMs, Math.min(limitMs, dueMs + 20 * dice.roll()));
  if (dice.chance(0.05)) return clock.fireEarly(next, dice.roll());
  clock.fire(next);
}

/** A process acks for a worker, perhaps one that is not there yet or any more. */
function forge(
  { machine, ledger, acks }: World,
  process: World["machine"]["kernel"]["supervisor"],
  dice: Dice,
): void {
  // Before its gate is open a worker runs nothing that could ack.
  if (process.state !== "alive" || process.program instanceof GateProgram) return;
  const ids = [...ledger.workers.keys()];
  const id = dice.chance(0.7) ? dice.pick(ids) : `w-${1 + dice.below(20)}`;
  if (id !== undefined) sendAck(machine, process, id, acks);
}
