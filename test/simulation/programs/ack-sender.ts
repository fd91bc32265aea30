/** An ack over the socket, and what is answered. */
import type { WorkerFact } from "../facts.ts";
import type { Connection } from "../kernel/connection.ts";
import type { Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { isStopSignal } from "./manners.ts";

export type AckAnswer = {
  readonly sender: Process;
  readonly id: string;
  readonly line: string;
};

export type AckPorts = { readonly onAnswer: (answer: AckAnswer) => void };

/** Sends the line, and closes when it is answered, as the gem and `kleinhirn ack` do. */
export function sendAck(machine: Machine, sender: Process, id: string, ports: AckPorts, done = () => {}): Connection {
  const connection = machine.network.connect(sender, `${sender.name}'s ack of ${id}`);
  connection.write(`{"action":"ack","id":${JSON.stringify(id)}}\n`);
  connection.onNews = () => {
    const line = connection.readLine();
    if (line !== undefined) ports.onAnswer({ sender, id, line });
    if (line === undefined && !connection.isCut) return;
    connection.onNews = () => {};
    connection.close(sender);
    done();
  };
  return connection;
}

/** `kleinhirn ack`, called by a worker's script: acks for its parent, perhaps when that is gone. */
export class AckProgram implements Program {
  readonly reapsAtOnce = true;
  readonly #machine: Machine;
  readonly #fact: WorkerFact;
  readonly #ports: AckPorts;
  #process: Process | undefined;

  constructor(machine: Machine, fact: WorkerFact, ports: AckPorts) {
    this.#machine = machine;
    this.#fact = fact;
    this.#ports = ports;
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
    sendAck(this.#machine, process, this.#fact.id, this.#ports, () => {
      kernel.exit(process, { kind: "exited", code: 0 });
    });
  }
}
