/** What Bun does with the children that it spawns: it waits for each, and tells of an exit in its own time. */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import { OperatingSystemError } from "../../../src/system/operating-system-error.ts";
import type { Inbox } from "./input.ts";
import type { Kernel } from "./kernel.ts";
import type { Process, Program } from "./process.ts";

export class Bunlike {
  readonly #kernel: Kernel;
  readonly #inbox: Inbox;
  /** As src/system/child.ts keeps them: from the spawn until the exit is told. */
  readonly #running = new Set<number>();
  readonly #onExit = new Map<Process, (exit: ExitStatus) => void>();
  /** What runs when everything on the stack has returned, before anything else can happen. */
  readonly microtasks: (() => void)[] = [];

  constructor(kernel: Kernel, inbox: Inbox) {
    this.#kernel = kernel;
    this.#inbox = inbox;
  }

  isBunChild(pid: number): boolean {
    return this.#running.has(pid);
  }

  /** A leader of its own session. @throws as Bun does when there is no process to be had. */
  spawn(name: string, program: Program, onExit: (exit: ExitStatus) => void): Process {
    const child = this.#kernel.fork(this.#kernel.supervisor, name, program);
    if (child === undefined) throw this.#refusal();
    this.#kernel.setSession(child);
    child.isBuns = true;
    this.#running.add(child.pid);
    this.#onExit.set(child, onExit);
    return child;
  }

  /** Of a number of refusals some are for want of processes, the others for a program that is not there. */
  #refusal(): OperatingSystemError {
    const code = this.#kernel.refusals % 2 === 0 ? "EAGAIN" : "ENOENT";
    return new OperatingSystemError(code, "posix_spawn", "");
  }

  /**
   * It was so quick that Bun has waited for it before `Bun.spawn` returns: the pid is free, the exit is told soon. Never
   * two in one turn: what the first one's exit leads to (a fault, a stop) could then reach for the other's pid.
   */
  endAtOnce(child: Process, exit: ExitStatus): void {
    if (this.microtasks.length > 0) return;
    child.isBuns = false; // Not to be told by the usual way too.
    this.#kernel.exit(child, exit);
    this.#kernel.bury(child);
    this.microtasks.push(() => this.#finish(child));
  }

  onExited(child: Process): void {
    const source = {
      name: `exit of ${child.name}`,
      sinceMs: 0,
      deliver: () => {
        this.#inbox.drop(source);
        this.#kernel.bury(child);
        this.#finish(child);
      },
    };
    this.#inbox.raise(source);
  }

  #finish(child: Process): void {
    this.#running.delete(child.pid);
    const onExit = this.#onExit.get(child);
    this.#onExit.delete(child);
    if (child.exit !== undefined) onExit?.(child.exit);
  }
}
