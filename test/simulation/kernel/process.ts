/** A process of the simulated kernel. What runs in it is a program of `../programs`. */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import type { Dice } from "../../core/random/dice.ts";
import type { WorkerFact } from "../facts.ts";

/** Which one does the kernel mean by a group's number: there may be several, one after another. */
export type Group = { readonly pgid: number; readonly members: Set<Process> };

/** What a process has open: a fork has it open too, and it is closed when nobody has. */
export type Handle = { readonly holders: Set<Process>; readonly onRelease: () => void };

/** What a program makes of a signal that it can handle: `default` ends the process. */
export type Reaction = "default" | "handled" | "ignored";

export type Program = {
  /** Does the next thing; the kernel calls it when the process is among the runnable. */
  run(dice: Dice): void;
  react(signal: number): Reaction;
  /** True: it waits for this child (wait(2)), and the pid is free; without it a child stays a zombie until its parent ends. */
  reapsAtOnce: boolean;
  onChildExit?(child: Process): void;
};

export class Process {
  readonly pid: number;
  /** Stable, however the pids fall: what a recorded life is told by. */
  readonly name: string;
  parent: Process | undefined;
  group: Group;
  session: number;
  readonly children = new Set<Process>();
  readonly handles = new Set<Handle>();
  state: "alive" | "zombie" | "gone" = "alive";
  exit: ExitStatus | undefined;
  /** By SIGSTOP. */
  isFrozen = false;
  /** In an uninterruptible sleep: not even KILL ends it before it wakes. */
  isStuck = false;
  readonly pending = new Set<number>();
  diesWithParent = false;
  /** Started by `Bun.spawn`, which waits for it. */
  isBuns = false;
  isReady = false;
  program: Program | undefined;
  /** The worker that it is or comes from. */
  worker: WorkerFact | undefined;
  #forks = 0;
  #connections = 0;

  constructor(pid: number, name: string, group: Group) {
    this.pid = pid;
    this.name = name;
    this.group = group;
    this.session = group.pgid;
  }

  nextConnectionName(): string {
    this.#connections += 1;
    return `connection ${this.#connections} of ${this.name}`;
  }

  nextChildName(): string {
    this.#forks += 1;
    return `${this.name}/${this.#forks}`;
  }
}
