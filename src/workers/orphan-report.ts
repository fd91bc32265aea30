/** Reaped orphans in the log: one line for those that come together, for a build tool may leave thousands. */
import { describeExit, type ExitStatus } from "../core/exit-status.ts";
import type { LogEvent } from "../core/log-event.ts";
import type { SetTimer } from "../timer.ts";

const gatherMs = 1000;

export class OrphanReport {
  readonly #log: (event: LogEvent) => void;
  readonly #setTimer: SetTimer;
  #count = 0;
  #last: { readonly pid: number; readonly exit: ExitStatus } | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(log: (event: LogEvent) => void, setTimer: SetTimer) {
    this.#log = log;
    this.#setTimer = setTimer;
  }

  add(pid: number, exit: ExitStatus): void {
    this.#count += 1;
    this.#last = { pid, exit };
    this.#cancelTimer ??= this.#setTimer(() => this.flush(), gatherMs);
  }

  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#last === undefined) return;
    const { pid, exit } = this.#last;
    const fields = { count: this.#count, last_pid: pid, last_exit: describeExit(exit) };
    this.#count = 0;
    this.#last = undefined;
    this.#log({ level: "debug", message: "orphans reaped", fields });
  }
}
