import type { ExitStatus } from "../../../src/core/exit-status.ts";
import { createReaper, type Reaper } from "../../../src/system/reaper.ts";
import type { Peeked, Waiter } from "../../../src/system/wait.ts";

type Process = { readonly pid: number; exit: ExitStatus | undefined };

/** As much of a kernel and of a supervisor as the reaper sees; who is reaped, and as what, stands in `reports`. */
export class FakeKernel {
  /** In the order in which the kernel looks through them. */
  #children: Process[] = [];
  readonly bunChildren = new Set<number>();
  readonly workers = new Set<number>();
  /** Numbers of the launches asked for and not answered. */
  readonly pendingLaunches = new Set<number>();
  nextLaunch = 1;
  readonly reports: string[] = [];
  readonly scheduled: (() => void)[] = [];
  /** Called in the midst of a report. */
  onReport: () => void = () => {};
  /** Kernels, or containers without /proc, where the children can't be listed. */
  canList = true;
  readonly reaper: Reaper;

  constructor() {
    const report = (kind: string) => (pid: number, exit: ExitStatus) => {
      this.workers.delete(pid);
      this.reports.push(`${kind} ${pid} ${exit.kind === "exited" ? exit.code : `signal ${exit.signal}`}`);
      this.onReport();
    };
    this.reaper = createReaper({
      waiter: this.#waiter(),
      isBunChild: (pid) => this.bunChildren.has(pid),
      isOurs: (pid) => this.workers.has(pid),
      ourPids: () => this.workers,
      oldestPendingLaunch: () => Math.min(Number.POSITIVE_INFINITY, ...this.pendingLaunches),
      nextLaunchSequence: () => this.nextLaunch,
      listChildren: () => (this.canList ? this.#children.map(({ pid }) => pid) : []),
      onExit: report("worker"),
      onOrphan: report("orphan"),
      onNoChildren: () => this.reports.push("no children"),
      schedule: (callback) => this.scheduled.push(callback),
    });
  }

  #waiter(): Waiter {
    return {
      peekAny: () => this.#peekAny(),
      peekPid: (pid) => this.#peekPid(pid),
      reapPid: (pid) => {
        const exit = this.#peekPid(pid);
        if (typeof exit !== "string") this.#children = this.#children.filter((child) => child.pid !== pid);
        return exit;
      },
    };
  }

  #peekAny(): Peeked {
    if (this.#children.length === 0) return { kind: "no-children" };
    for (const { pid, exit } of this.#children) if (exit !== undefined) return { kind: "exited", pid, exit };
    return { kind: "none" };
  }

  #peekPid(pid: number): ExitStatus | "running" | "not-a-child" {
    const child = this.#children.find((candidate) => candidate.pid === pid);
    return child === undefined ? "not-a-child" : (child.exit ?? "running");
  }

  start(...pids: number[]): void {
    for (const pid of pids) this.#children.push({ pid, exit: undefined });
  }

  exit(pid: number, exit: ExitStatus = { kind: "exited", code: 0 }): void {
    for (const child of this.#children) if (child.pid === pid) child.exit = exit;
  }

  isZombie(pid: number): boolean {
    return typeof this.#peekPid(pid) !== "string";
  }

  /** What Bun does in its own time. */
  reapByBun(pid: number): void {
    this.#children = this.#children.filter((child) => child.pid !== pid);
    this.bunChildren.delete(pid);
  }

  /** Asks for a launch: its number. */
  ask(): number {
    this.pendingLaunches.add(this.nextLaunch);
    return this.nextLaunch++;
  }

  runScheduled(): void {
    for (const callback of this.scheduled.splice(0)) callback();
  }
}
