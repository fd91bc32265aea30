/** What production's ports for starting processes lead to: the kernel forks, and a program is given to the process. */
import type { PreloaderRef } from "../../src/core/event.ts";
import type { ExitStatus } from "../../src/core/exit-status.ts";
import type { WorkerLaunch } from "../../src/supervisor.ts";
import type { AckJudge } from "./ack-judge.ts";
import type { PreloaderFact, WorkerFact } from "./facts.ts";
import type { AckStream } from "./kernel/ack-stream.ts";
import { Pool } from "./kernel/pool.ts";
import type { Process } from "./kernel/process.ts";
import type { Ledger } from "./ledger.ts";
import type { Machine } from "./machine.ts";
import { PreloaderProgram } from "./programs/preloader.ts";
import { WorkerProgram } from "./programs/worker.ts";
import { hold } from "./violation.ts";
import type { Watcher } from "./watcher.ts";

type WorkerHandlers = {
  readonly onExit: (exit: ExitStatus) => void;
  readonly onAckData: (chunk: Uint8Array) => void;
};

export class Starter {
  readonly #machine: Machine;
  readonly #ledger: Ledger;
  readonly #watcher: Watcher;
  readonly #acks: AckJudge;
  /** Running in a process that is alive. */
  readonly workers = new Pool<WorkerProgram>();
  readonly preloaders = new Pool<PreloaderProgram>();

  constructor(machine: Machine, ledger: Ledger, watcher: Watcher, acks: AckJudge) {
    this.#machine = machine;
    this.#ledger = ledger;
    this.#watcher = watcher;
    this.#acks = acks;
  }

  onExit({ program }: Process): void {
    if (program instanceof WorkerProgram) this.workers.delete(program);
    if (program instanceof PreloaderProgram) this.preloaders.delete(program);
  }

  /** @throws when there are no more processes. */
  startWorker({ id }: WorkerLaunch, handlers: WorkerHandlers): { readonly pid: number } {
    const fact = this.#ledger.workers.get(id);
    if (fact === undefined) throw new Error(`${id} was not asked for`);
    const stream = this.#createAckStream(fact, handlers.onAckData);
    const program = this.#createWorker(fact, stream);
    const process = this.#machine.bun.spawn(fact.name, program, (exit) => {
      stream?.close();
      this.#watcher.onBunExit(fact);
      handlers.onExit(exit);
    });
    fact.process = process;
    fact.isWritten = true;
    process.worker = fact;
    this.workers.add(program);
    program.begin(process);
    const fate = this.#machine.fates.of(`${fact.name}'s exec`);
    if (fate.isTroubled(0.03)) this.#machine.bun.endAtOnce(process, { kind: "exited", code: 127 });
    return { pid: process.pid };
  }

  #createAckStream(fact: WorkerFact, onData: (chunk: Uint8Array) => void): AckStream | undefined {
    if (!this.#ledger.setOf(fact).limits.needsAck) return undefined;
    return this.#machine.createAckStream(`${fact.name}'s ack descriptor`, onData, () =>
      this.#acks.onStreamRead(fact),
    );
  }

  #createWorker(fact: WorkerFact, stream: AckStream | undefined): WorkerProgram {
    const { needsAck, ackTimeoutMs } = this.#ledger.setOf(fact).limits;
    const needs = { needsAck, maySilent: ackTimeoutMs !== undefined, acks: this.#acks };
    return new WorkerProgram(this.#machine, fact, needs, stream);
  }

  /** @throws when there are no more processes. */
  startPreloader(ref: PreloaderRef, onExit: (exit: ExitStatus) => void): { readonly pid: number } {
    const fact = this.#ledger.preloaderAt(ref);
    if (fact === undefined) throw new Error("this preloader was not asked for");
    const program = this.#createPreloader(fact);
    const process = this.#machine.bun.spawn(program.name, program, onExit);
    fact.process = process;
    this.preloaders.add(program);
    program.begin(process);
    return { pid: process.pid };
  }

  #createPreloader(fact: PreloaderFact): PreloaderProgram {
    const ledger = this.#ledger;
    return new PreloaderProgram(this.#machine, fact, {
      findWorker: (id) => ledger.workers.get(id),
      becomeWorker: (worker, process) => {
        const program = this.#createWorker(worker, undefined);
        this.workers.add(program);
        program.begin(process);
      },
      onConnected: (connection) => {
        connection.onAnnounced = (worker) => {
          const isKnown = worker.isAnnounced || ledger.hasExited;
          hold(isKnown, "an announcement that is read is heard", () => worker.id);
        };
        connection.onLost = (worker) => {
          hold(ledger.stopSinceMs !== undefined, "no announcement is lost", () => worker.id);
        };
      },
      onKill: (victim) => {
        const isThere = this.#machine.kernel.at(victim.pid) === victim;
        hold(isThere, "a preloader kills nobody who has its launch's pid", () => victim.name);
        this.#machine.kernel.signal(victim, 9);
      },
    });
  }
}
