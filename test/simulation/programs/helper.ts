/** What workers start: helpers, daemons, shells that ack for them. They become orphans when their parents end. */
import type { Dice } from "../../core/random/dice.ts";
import type { Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { isStopSignal, type Manners, mannersOf, takeOtherSignal } from "./manners.ts";

type Act = "fork" | "lead" | "exit";

const deepest = 3;

export function forkHelper(machine: Machine, parent: Process, depth: number): void {
  if (!machine.isRoomy || depth > deepest) return;
  const helper = new HelperProgram(machine, parent.nextChildName(), depth);
  const child = machine.kernel.fork(parent, helper.name, helper);
  if (child !== undefined) helper.begin(child);
}

export class HelperProgram implements Program {
  readonly name: string;
  readonly reapsAtOnce: boolean;
  readonly #machine: Machine;
  readonly #depth: number;
  readonly #manners: Manners;
  readonly #plan: Act[];
  #process: Process | undefined;
  #isLeaving = false;

  constructor(machine: Machine, name: string, depth: number) {
    const fate = machine.fates.of(name);
    this.name = name;
    this.#machine = machine;
    this.#depth = depth;
    this.#manners = mannersOf(fate);
    this.reapsAtOnce = fate.chance(0.7);
    this.#plan = fate.chance(0.5) ? ["exit"] : [];
    if (fate.chance(0.3)) this.#plan.unshift("fork");
    // A daemon, or what a shell with job control starts: a number of its own for its group and session.
    if (fate.chance(0.3)) this.#plan.unshift("lead");
  }

  begin(process: Process): void {
    this.#process = process;
    this.#machine.kernel.setReady(process, this.#plan.length > 0);
  }

  react(signal: number): Reaction {
    if (!isStopSignal(signal)) return takeOtherSignal(signal, false);
    if (this.#manners === "none") return "default";
    if (this.#manners === "deaf" || this.#process === undefined) return "ignored";
    this.#isLeaving = true;
    this.#machine.kernel.setReady(this.#process, true);
    return "handled";
  }

  run(_dice: Dice): void {
    const process = this.#process;
    if (process === undefined) return;
    const { kernel } = this.#machine;
    if (this.#isLeaving) return kernel.exit(process, { kind: "exited", code: 0 });
    const act = this.#plan.shift();
    if (act === "exit") return kernel.exit(process, { kind: "exited", code: 0 });
    if (act === "lead") kernel.setSession(process);
    if (act === "fork") forkHelper(this.#machine, process, this.#depth + 1);
    kernel.setReady(process, this.#plan.length > 0);
  }
}
