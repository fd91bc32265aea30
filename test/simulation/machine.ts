/** The simulated machine: a kernel, its clock and sockets, and Bun. Programs live in it; production runs on it. */
import { AckStream } from "./kernel/ack-stream.ts";
import { Bunlike } from "./kernel/bun.ts";
import { Clock } from "./kernel/clock.ts";
import type { Fates } from "./kernel/fates.ts";
import { Inbox, type Source } from "./kernel/input.ts";
import { Kernel } from "./kernel/kernel.ts";
import { Network } from "./kernel/network.ts";
import type { Process } from "./kernel/process.ts";

export type MachineLimits = {
  /** So few that they are soon used again. */
  readonly pids: number;
  readonly socketCapacityBytes: number;
};

export class Machine {
  readonly clock = new Clock();
  readonly inbox = new Inbox(() => this.clock.nowMs);
  readonly fates: Fates;
  readonly kernel: Kernel;
  readonly bun: Bunlike;
  readonly network: Network;
  onChildSignal: () => void = () => {};
  onExit: (process: Process) => void = () => {};
  readonly #limits: MachineLimits;
  readonly #childSignal: Source;
  readonly #immediate: Source;
  readonly #immediates: (() => void)[] = [];

  constructor(limits: MachineLimits, fates: Fates) {
    this.#limits = limits;
    this.fates = fates;
    this.#childSignal = { name: "SIGCHLD", sinceMs: 0, deliver: () => this.#deliverChildSignal() };
    this.#immediate = { name: "immediate", sinceMs: 0, deliver: () => this.#runImmediate() };
    this.kernel = new Kernel(limits.pids, {
      onSupervisorsChild: () => this.inbox.raise(this.#childSignal),
      onBunsChild: (child) => this.bun.onExited(child),
      onExit: (process) => this.onExit(process),
    });
    this.bun = new Bunlike(this.kernel, this.inbox);
    this.network = new Network(this.kernel, this.inbox, limits.socketCapacityBytes);
  }

  #deliverChildSignal(): void {
    this.inbox.drop(this.#childSignal);
    this.onChildSignal();
  }

  createAckStream(name: string, onData: (chunk: Uint8Array) => void, onRead: () => void): AckStream {
    return new AckStream(name, this.inbox, onData, onRead);
  }

  /** setImmediate. */
  readonly schedule = (callback: () => void): void => {
    this.#immediates.push(callback);
    this.inbox.raise(this.#immediate);
  };

  #runImmediate(): void {
    const callback = this.#immediates.shift();
    if (this.#immediates.length === 0) this.inbox.drop(this.#immediate);
    callback?.();
  }

  /** Whether there is room for processes that nobody needs. */
  get isRoomy(): boolean {
    return this.kernel.processes.size < this.#limits.pids / 2;
  }
}
