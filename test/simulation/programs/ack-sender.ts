/** An ack over the socket, and what is answered. */
import type { AckJudge } from "../ack-judge.ts";
import type { WorkerFact } from "../facts.ts";
import type { Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { isStopSignal } from "./manners.ts";

/** Sends the line, and closes when it is answered, as the gem and `kleinhirn ack` do. */
export function sendAck(
  machine: Machine,
  sender: Process,
  id: string,
  acks: AckJudge,
  done = () => {},
): void {
  const connection = machine.network.connect(sender);
  connection.write(`{"action":"ack","id":${JSON.stringify(id)}}\n`);
  acks.onSent(connection, sender, id);
  connection.onNews = () => {
    const line = connection.readLine();
    if (line !== undefined) acks.onAnswered(connection, line);
    if (line === undefined && !connection.isCut) return;
    acks.onClosed(connection);
    connection.onNews = () => {};
    connection.close(sender);
    done();
  };
}

/** `kleinhirn ack`, called by a worker's script: acks for its parent, perhaps when that is gone. */
export class AckProgram implements Program {
  readonly reapsAtOnce = true;
  readonly #machine: Machine;
  readonly #fact: WorkerFact;
  readonly #acks: AckJudge;
  #process: Process | undefined;

  constructor(machine: Machine, fact: WorkerFact, acks: AckJudge) {
    this.#machine = machine;
    this.#fact = fact;
    this.#acks = acks;
  }

  begin(process: Process): void {
    this.#process = process;
    this.#machine.kernel.setReady(process, true);
  }

  react(signal: number): Reaction {
    return isStopSignal(signal) ? "default" : "ignored";
  }

  run(): void {
    const { kernel } = this.#machine;
    const process = this.#process;
    if (process === undefined) return;
    kernel.setReady(process, false);
    sendAck(this.#machine, process, this.#fact.id, this.#acks, () => {
      kernel.exit(process, { kind: "exited", code: 0 });
    });
  }
}
