import type { ExitStatus } from "../core/exit-status.ts";
import type { Waiter } from "./wait.ts";

/**
 * What the reaper is told and whom it tells. Launches asked from preloaders are numbered 1, 2, 3…; one is answered by
 * `launched`, `failed`, the preloader's end, or a timeout.
 */
export type ReaperPorts = {
  readonly waiter: Waiter;
  /** Bun waits for it through a pidfd; a wait of ours would take its exit away. */
  isBunChild(pid: number): boolean;
  /** A worker that a preloader has announced. */
  isOurs(pid: number): boolean;
  /** All of those; a snapshot, or something that may change while it is walked through. */
  ourPids(): Iterable<number>;
  /** The number of the oldest launch not yet answered; Infinity when there is none. */
  oldestPendingLaunch(): number;
  /** The number that the next launch will get. */
  nextLaunchSequence(): number;
  /** The pids of all our children, for the one case in which the kernel hides them; may be empty. */
  listChildren(): readonly number[];
  /** A worker of `ourPids` has exited and is reaped; its pid may be used again from now on. */
  onExit(pid: number, exit: ExitStatus): void;
  /** So has a process that was handed to us. */
  onOrphan(pid: number, exit: ExitStatus): void;
  /** There is no child at all, not even one of Bun's; may be called again and again. */
  onNoChildren(): void;
  /** Calls back after Bun has had a look at its own children. */
  schedule(callback: () => void): void;
};

export type Reaper = {
  /**
   * Looks for exits until there are none. To be called for SIGCHLD (of which several may come as one), after a launch
   * has been answered, and when a preloader has ended.
   */
  poke(): void;
};

/**
 * Reaps what isn't Bun's, child by child (specification section 4). There is no catch-all wait: `waitid` only shows
 * the first exited child (WNOWAIT), and who it is decides.
 *
 * - One of Bun's: left to Bun; another look follows soon, because its zombie hides those behind it.
 * - A worker: reaped and reported.
 * - A stranger while no launch is pending: an orphan; reaped and reported as that.
 * - A stranger while launches are pending may be a worker whose `launched` line we haven't read yet. It is kept a
 *   zombie, so that the kernel can't give its pid to another process, until either the line comes and it is a worker,
 *   or every launch asked before it was first seen has been answered and it can't be one. Until then it hides all
 *   others, so the others are asked one by one. When it was forked does not matter: a preloader that forks ahead of
 *   need sees the end of what it has forked no later than we do, and never announces it for a later launch.
 */
export function createReaper(ports: ReaperPorts): Reaper {
  return new ChildReaper(ports);
}

class ChildReaper implements Reaper {
  readonly #ports: ReaperPorts;
  /** Strangers kept as zombies, each with the number of the first launch that can't be theirs. */
  readonly #kept = new Map<number, number>();
  #looking = false;
  #again = false;
  #scheduled = false;

  constructor(ports: ReaperPorts) {
    this.#ports = ports;
  }

  /**
   * A callback may cause another poke: it makes the look that is under way start over instead of one inside the
   * other.
   */
  poke(): void {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#look();
      }
    } finally {
      this.#looking = false;
    }
  }

  #look(): void {
    for (;;) {
      const peeked = this.#ports.waiter.peekAny();
      if (peeked.kind === "none") return;
      if (peeked.kind === "no-children") {
        this.#ports.onNoChildren();
        return;
      }
      if (this.#ports.isBunChild(peeked.pid)) {
        this.#lookSoon();
        return;
      }
      if (!this.#settle(peeked.pid)) {
        this.#lookBehind();
        return;
      }
    }
  }

  #lookSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#ports.schedule(() => {
      this.#scheduled = false;
      this.poke();
    });
  }

  /** Reaps an exited child that is not Bun's; false when it has to be kept for now. */
  #settle(pid: number): boolean {
    if (this.#ports.isOurs(pid)) {
      this.#reap(pid, this.#ports.onExit);
      return true;
    }
    const notBefore = this.#kept.get(pid) ?? this.#ports.nextLaunchSequence();
    if (this.#ports.oldestPendingLaunch() < notBefore) {
      this.#kept.set(pid, notBefore);
      return false;
    }
    this.#reap(pid, this.#ports.onOrphan);
    return true;
  }

  #reap(pid: number, report: (pid: number, exit: ExitStatus) => void): void {
    const exit = this.#ports.waiter.reapPid(pid);
    if (typeof exit === "string") return;
    // From now on the number may be another process's, and that one is seen for the first time.
    this.#kept.delete(pid);
    report(pid, exit);
  }

  /** A kept zombie is at the head of the kernel's list: find the exits behind it. */
  #lookBehind(): void {
    for (const pid of [...this.#ports.ourPids()]) this.#reap(pid, this.#ports.onExit);
    for (const pid of this.#ports.listChildren()) {
      if (this.#kept.has(pid) || this.#ports.isBunChild(pid)) continue;
      if (typeof this.#ports.waiter.peekPid(pid) !== "string") this.#settle(pid);
    }
  }
}
