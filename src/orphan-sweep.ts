/**
 * The end of a stop: every child that is neither worker nor preloader is told to go, until there is no child at all.
 *
 * An orphan's own children become ours when it dies, and when the one that died was itself a child of an orphan the
 * kernel sends us no SIGCHLD; so the sweep looks again from time to time, and not only when something has exited.
 */
import type { SetTimer } from "./timer.ts";

export type OrphanSweepPorts = {
  /** Those that live: a zombie needs no signal. */
  readonly listChildren: () => readonly number[];
  /** Workers and preloaders: they are stopped by name, not swept. */
  readonly isKnown: (pid: number) => boolean;
  /** Goes with its preloader by itself: that it is found before it has gone is nobody's failure. */
  readonly isStandby: (pid: number) => boolean;
  readonly signalProcess: (pid: number, signal: "SIGTERM" | "SIGKILL") => void;
  /** Killed for having outlasted the stop; once for all that are found together. */
  readonly reportKilled: (count: number) => void;
  readonly pokeReaper: () => void;
  readonly setTimer: SetTimer;
};

const lookEveryMs = 50;

export class OrphanSweep {
  readonly #ports: OrphanSweepPorts;
  /** Told already: an orphan that handles TERM is not to be told twice. */
  readonly #told = new Set<number>();
  #signal: "SIGTERM" | "SIGKILL" | undefined;
  #cancelNextLook: (() => void) | undefined;

  constructor(ports: OrphanSweepPorts) {
    this.#ports = ports;
  }

  get isActive(): boolean {
    return this.#signal !== undefined;
  }

  /** KILL after TERM is told to all anew. */
  begin(signal: "SIGTERM" | "SIGKILL"): void {
    this.#signal = signal;
    this.#told.clear();
    if (this.#cancelNextLook === undefined) this.#lookAgainLater();
    this.look();
  }

  #lookAgainLater(): void {
    this.#cancelNextLook = this.#ports.setTimer(() => {
      this.#lookAgainLater();
      this.look();
    }, lookEveryMs);
  }

  look(): void {
    if (this.#signal === undefined) return;
    let told = 0;
    for (const pid of this.#ports.listChildren()) {
      if (this.#told.has(pid) || this.#ports.isKnown(pid)) continue;
      this.#told.add(pid);
      this.#ports.signalProcess(pid, this.#signal);
      if (!this.#ports.isStandby(pid)) told += 1;
    }
    if (told > 0 && this.#signal === "SIGKILL") this.#ports.reportKilled(told);
    this.#ports.pokeReaper();
  }

  /** The pid may be used again, by another orphan that has not been told. */
  forget(pid: number): void {
    this.#told.delete(pid);
  }

  end(): void {
    this.#signal = undefined;
    this.#cancelNextLook?.();
    this.#cancelNextLook = undefined;
  }
}
