/**
 * A launch by double fork, as the gem does it: the process in the middle, the worker at its gate, and what the preloader
 * knows of both. Every step is one of its own, so that anything may happen between two of them.
 */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import type { WorkerFact } from "../facts.ts";
import type { Connection } from "../kernel/connection.ts";
import type { Handle, Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { isStopSignal } from "./manners.ts";

export type DoubleForkPorts = {
  /** The worker's program takes over the process. */
  readonly becomeWorker: (fact: WorkerFact, process: Process) => void;
  /** Something that the preloader could read or wait for. */
  readonly onNews: () => void;
};

const failed: ExitStatus = { kind: "exited", code: 1 };
const ended: ExitStatus = { kind: "exited", code: 0 };

export class DoubleFork {
  readonly machine: Machine;
  /** What the process in the middle and the worker are called after. */
  readonly name: string;
  readonly preloader: Process;
  readonly deadlineMs: number;
  readonly ports: DoubleForkPorts;
  /** Held by the preloader and by whoever it forked meanwhile; when nobody holds it, the worker leaves. */
  readonly gate: Handle;
  isGateOpen = false;
  middle: Process | undefined;
  worker: Process | undefined;
  /** What the preloader has read from the report. */
  isWaiting = false;
  failure: string | undefined;
  middleExit: ExitStatus | undefined;
  isClosed = false;
  /** Whose launch this is; undefined: it was forked ahead of need, and is nobody's yet. */
  #fact: WorkerFact | undefined;

  constructor(
    machine: Machine,
    name: string,
    preloader: Process,
    deadlineMs: number,
    ports: DoubleForkPorts,
  ) {
    this.machine = machine;
    this.name = name;
    this.preloader = preloader;
    this.deadlineMs = deadlineMs;
    this.ports = ports;
    this.gate = { holders: new Set(), onRelease: () => this.#wakeWorker() };
  }

  get fact(): WorkerFact | undefined {
    return this.#fact;
  }

  /** It becomes this worker's launch, if it has a process already or will have one. */
  serve(fact: WorkerFact): void {
    this.#fact = fact;
    if (this.worker !== undefined) this.#own(this.worker);
  }

  onForked(worker: Process): void {
    this.worker = worker;
    this.#own(worker);
  }

  #own(worker: Process): void {
    if (this.#fact === undefined) return;
    worker.worker = this.#fact;
    this.#fact.process = worker;
  }

  /** @returns false: the first fork has failed. */
  begin(control: Connection, earlier: readonly DoubleFork[]): boolean {
    const { kernel } = this.machine;
    const program = new MiddleProgram(this, control, earlier);
    this.middle = kernel.fork(this.preloader, `${this.name}~`, program);
    if (this.middle === undefined) return false;
    kernel.open(this.preloader, this.gate);
    program.begin(this.middle);
    return true;
  }

  openGate(): void {
    this.isGateOpen = true;
    this.close();
  }

  /** The preloader's end of the gate. */
  close(): void {
    this.isClosed = true;
    this.machine.kernel.close(this.preloader, this.gate);
    this.#wakeWorker();
  }

  #wakeWorker(): void {
    const { worker } = this;
    if (worker === undefined || !this.isWaiting) return;
    if (this.isGateOpen || this.gate.holders.size === 0) this.machine.kernel.setReady(worker, true);
  }

  reapMiddle(): void {
    const { middle } = this;
    if (this.middleExit !== undefined || middle?.state !== "zombie" || middle.parent !== this.preloader)
      return;
    this.middleExit = middle.exit;
    this.machine.kernel.bury(middle);
  }

  /** Nobody has the report open any more. */
  get isSilent(): boolean {
    const isMiddleGone = this.middle?.state !== "alive";
    return isMiddleGone && (this.isWaiting || this.worker?.state !== "alive");
  }

  /** Only what the preloader knows of, and while its report is open: the pid could be another's afterwards. */
  kill(onKill: (victim: Process) => void): void {
    const { worker, middle } = this;
    if (worker !== undefined && !this.isSilent) onKill(worker);
    if (middle !== undefined && this.middleExit === undefined) onKill(middle);
  }
}

/** The process in the middle: lets go of what is the preloader's, forks the worker, and ends. */
export class MiddleProgram implements Program {
  readonly reapsAtOnce = false;
  readonly #launch: DoubleFork;
  readonly #control: Connection;
  readonly #earlier: readonly DoubleFork[];
  readonly #hangsIn: "nothing" | "hook" | "hookOfItsOwnSession";
  #process: Process | undefined;
  #step = 0;

  constructor(launch: DoubleFork, control: Connection, earlier: readonly DoubleFork[]) {
    this.#launch = launch;
    this.#control = control;
    this.#earlier = earlier;
    const fate = launch.machine.fates.of(`${launch.name}~`);
    const hangs = fate.isTroubled(0.1);
    this.#hangsIn = hangs ? fate.oneOf("hook", "hook", "hookOfItsOwnSession") : "nothing";
  }

  begin(process: Process): void {
    this.#process = process;
    this.#launch.machine.kernel.setReady(process, true);
  }

  react(signal: number): Reaction {
    return isStopSignal(signal) && this.#hangsIn === "nothing" ? "default" : "ignored";
  }

  /** It hangs where neither its preloader's end nor a signal to the group reaches it, perhaps with others' gates in its hands. */
  get isOutOfReach(): boolean {
    return this.#hangsIn === "hookOfItsOwnSession";
  }

  run(): void {
    const process = this.#process;
    if (process === undefined) return;
    this.#step += 1;
    switch (this.#step) {
      case 1:
        return this.#runHook(process);
      case 2:
        return this.#letGo(process);
      case 3:
        return this.#followPreloader(process);
      case 4:
        return this.#forkWorker(process);
      default:
        this.#launch.machine.kernel.exit(process, ended);
    }
  }

  #runHook(process: Process): void {
    const { kernel } = this.#launch.machine;
    if (this.#hangsIn === "hookOfItsOwnSession") kernel.setSession(process);
    kernel.setReady(process, this.#hangsIn === "nothing");
  }

  #letGo(process: Process): void {
    this.#control.close(process);
    for (const launch of [...this.#earlier, this.#launch]) {
      this.#launch.machine.kernel.close(process, launch.gate);
    }
  }

  #followPreloader(process: Process): void {
    process.diesWithParent = true;
    if (process.parent === this.#launch.preloader) return;
    this.#launch.machine.kernel.exit(process, failed);
  }

  #forkWorker(process: Process): void {
    const launch = this.#launch;
    const { kernel } = launch.machine;
    const program = new GateProgram(launch);
    const worker = kernel.fork(process, launch.name, program);
    if (worker === undefined) {
      launch.failure = "the fork failed: EAGAIN";
      kernel.exit(process, failed);
      return launch.ports.onNews();
    }
    launch.onForked(worker);
    program.begin(worker);
  }

  onChildExit(): void {
    this.#launch.ports.onNews();
  }
}

/** The worker until the gate is open: nobody but the preloader knows of it. */
export class GateProgram implements Program {
  readonly reapsAtOnce = true;
  readonly #launch: DoubleFork;
  readonly #hangs: boolean;
  #process: Process | undefined;
  #step = 0;
  #isLeaving = false;

  constructor(launch: DoubleFork) {
    this.#launch = launch;
    this.#hangs = launch.machine.fates.of(`${launch.name}'s hook`).isTroubled(0.05);
  }

  begin(process: Process): void {
    this.#process = process;
    this.#launch.machine.kernel.setReady(process, !this.#hangs);
  }

  react(signal: number): Reaction {
    if (!isStopSignal(signal) || this.#process === undefined || this.#hangs) return "ignored";
    this.#isLeaving = true;
    this.#launch.machine.kernel.setReady(this.#process, true);
    return "handled";
  }

  run(): void {
    const process = this.#process;
    if (process === undefined) return;
    const { machine, gate, isGateOpen, fact, ports } = this.#launch;
    const { kernel } = machine;
    this.#step += 1;
    if (this.#isLeaving) return kernel.exit(process, { kind: "exited", code: 143 });
    if (this.#step === 1) return kernel.setSession(process);
    if (this.#step === 2) {
      this.#launch.isWaiting = true;
      kernel.setReady(process, isGateOpen || gate.holders.size === 0);
      return ports.onNews();
    }
    if (isGateOpen && fact !== undefined) ports.becomeWorker(fact, process);
    else kernel.exit(process, ended);
  }
}
