/** A worker: what it does between its start and its end, by its fate. */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import type { AckJudge } from "../ack-judge.ts";
import type { WorkerFact } from "../facts.ts";
import type { AckStream } from "../kernel/ack-stream.ts";
import type { Fate } from "../kernel/fates.ts";
import type { Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { AckProgram, sendAck } from "./ack-sender.ts";
import { forkHelper } from "./helper.ts";
import { isStopSignal, type Manners, mannersOf, takeOtherSignal } from "./manners.ts";

type Act = "ack" | "ackByDescriptor" | "ackByChild" | "raise" | "fork" | "exit";

export type WorkerNeeds = {
  readonly acks: AckJudge;
  /** The set's workers are ready by their acks. */
  readonly needsAck: boolean;
  /** Silence is found out some day: without an ack timeout, no worker of this set is silent for ever. */
  readonly maySilent: boolean;
};

export class WorkerProgram implements Program {
  readonly reapsAtOnce: boolean;
  readonly #machine: Machine;
  readonly fact: WorkerFact;
  readonly #needs: WorkerNeeds;
  readonly #manners: Manners;
  readonly #isFragile: boolean;
  readonly #exit: ExitStatus;
  readonly #plan: Act[];
  readonly #stream: AckStream | undefined;
  #process: Process | undefined;
  #runsUntilGone = -1;

  constructor(machine: Machine, fact: WorkerFact, needs: WorkerNeeds, stream: AckStream | undefined) {
    const fate = machine.fates.of(fact.name);
    this.#machine = machine;
    this.fact = fact;
    this.#needs = needs;
    this.#stream = stream;
    this.#manners = mannersOf(fate);
    this.#isFragile = fate.isTroubled(0.2);
    this.reapsAtOnce = fate.chance(0.5);
    this.#exit = { kind: "exited", code: fate.oneOf(0, 0, 1, 37) };
    this.#plan = planLife(fate, needs, stream !== undefined);
  }

  begin(process: Process): void {
    this.#process = process;
    process.program = this;
    this.#machine.kernel.setReady(process, this.#plan.length > 0);
  }

  react(signal: number): Reaction {
    if (!isStopSignal(signal)) return takeOtherSignal(signal, this.#isFragile);
    if (this.#manners === "none") return "default";
    if (this.#manners === "deaf" || this.#process === undefined) return "ignored";
    if (this.#runsUntilGone < 0) this.#runsUntilGone = 1;
    this.#machine.kernel.setReady(this.#process, true);
    return "handled";
  }

  run(): void {
    const process = this.#process;
    if (process === undefined) return;
    const { kernel } = this.#machine;
    if (this.#runsUntilGone === 0) return kernel.exit(process, { kind: "exited", code: 0 });
    if (this.#runsUntilGone > 0) this.#runsUntilGone -= 1;
    const act = this.#plan.shift();
    if (act !== undefined) this.#do(act, process);
    if (process.state === "alive")
      kernel.setReady(process, this.#plan.length > 0 || this.#runsUntilGone >= 0);
  }

  #do(act: Act, process: Process): void {
    const { id } = this.fact;
    switch (act) {
      case "ack":
        return void sendAck(this.#machine, process, id, this.#needs.acks);
      case "ackByDescriptor":
        return this.#stream?.write(`{"action":"ack","id":${JSON.stringify(id)}}\n`);
      case "ackByChild":
        return this.#ackByChild(process);
      case "raise":
        return this.#raise(process);
      case "fork":
        return forkHelper(this.#machine, process, 1);
      case "exit":
        return this.#machine.kernel.exit(process, this.#exit);
    }
  }

  #ackByChild(process: Process): void {
    const program = new AckProgram(this.#machine, this.fact, this.#needs.acks);
    const child = this.#machine.kernel.fork(process, process.nextChildName(), program);
    if (child === undefined) this.#plan.unshift("ack");
    else program.begin(child);
  }

  #raise(process: Process): void {
    const { id } = this.fact;
    const connection = this.#machine.network.connect(process);
    connection.write(`{"action":"error","id":${JSON.stringify(id)},"message":"no","error":"at 1"}\n`);
    connection.onNews = () => connection.close(process);
  }

  /** Faults have ceased: what would be silent for ever acks after all. */
  heal(): void {
    const isSilent = this.#needs.needsAck && !this.#needs.maySilent && !this.fact.isAcked;
    if (this.#process?.state !== "alive" || !isSilent) return;
    this.#plan.push("ack");
    this.#machine.kernel.setReady(this.#process, true);
  }
}

function planLife(fate: Fate, needs: WorkerNeeds, hasDescriptor: boolean): Act[] {
  const ack =
    hasDescriptor && fate.chance(0.5) ? "ackByDescriptor" : fate.oneOf<Act>("ack", "ack", "ackByChild");
  const plan = planAcks(fate, needs, ack);
  if (fate.isTroubled(0.2)) plan.push("exit");
  for (let helpers = fate.below(3); helpers > 0; helpers -= 1) {
    if (fate.isTroubled(0.6)) plan.splice(fate.below(plan.length + 1), 0, "fork");
  }
  return plan;
}

function planAcks(fate: Fate, needs: WorkerNeeds, ack: Act): Act[] {
  if (!needs.needsAck) return fate.isTroubled(0.1) ? [ack] : [];
  if (fate.isTroubled(0.1)) return ["exit"];
  if (fate.isTroubled(0.08)) return ["raise", "exit"];
  if (fate.isTroubled(0.15)) return [ack, "exit"];
  if (fate.isTroubled(0.15)) return [ack, fate.oneOf<Act>("ack", ack)];
  return needs.maySilent && fate.isTroubled(0.15) ? [] : [ack];
}
