/** Reaped orphans in the log: one line for those that come together, for a build tool may leave thousands. */
import { describeExit, type ExitStatus } from "../core/exit-status.ts";
import type { LogEvent } from "../core/log-event.ts";

const gatherMs = 1000;

export class OrphanReport {
  readonly #log: (event: LogEvent) => void;
  #count = 0;
  #last: { readonly pid: number; readonly exit: ExitStatus } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: (event: LogEvent) => void) {
    this.#log = log;
  }

  add(pid: number, exit: ExitStatus): void {
    this.#count += 1;
    this.#last = { pid, exit };
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#last === undefined) return;
    const { pid, exit } = this.#last;
    const fields = { count: this.#count, last_pid: pid, last_exit: describeExit(exit) };
    this.#count = 0;
    this.#last = undefined;
    this.#log({ level: "debug", message: "orphans reaped", fields });
  }
}
