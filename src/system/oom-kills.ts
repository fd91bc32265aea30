import { join } from "node:path";
import type { Event } from "../core/event.ts";
import { signalNumber } from "../core/exit-status.ts";
import { findOwnGroup, type ReadText, readIfThere } from "./cgroup.ts";
import { monotonicMs } from "./clock.ts";

export type OomSources = {
  readonly read: ReadText;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
};

/**
 * The kernel kills several at once when memory is short, and their exits come one by one: kills that are seen within
 * this time of each other are told of every one of them.
 */
const burstMs = 1000;

/**
 * Kills for lack of memory, as the kernel counts them in our cgroup (`oom_kill` of memory.events in version 2, of
 * memory.oom_control in version 1). The kernel counts before it kills, so at the time of an exit its kill has been counted.
 *
 * The counter is read at exits by KILL alone, and tells neither whom nor when: a worker's own child that was killed an hour
 * ago is told of the next worker that KILL ends, whoever sent it.
 */
export class OomKills {
  readonly #sources: OomSources;
  readonly #file: string | undefined;
  /** What the counter said before the burst that is going on, or that was the last. */
  #before: number;
  #seen: number;
  #grewAtMs = Number.NEGATIVE_INFINITY;

  constructor(sources: OomSources = { read: readIfThere, nowMs: monotonicMs }) {
    this.#sources = sources;
    this.#file = findCounter(sources.read);
    this.#seen = this.#count();
    this.#before = this.#seen;
  }

  /** The exit of a process that KILL ended, with the kills that may have been its cause; every other event as it is. */
  explain(event: Event): Event {
    if (event.type !== "workerExited" && event.type !== "preloaderExited") return event;
    const { exit } = event;
    if (exit.kind !== "signaled" || exit.signal !== signalNumber("KILL")) return event;
    const oomKills = this.#recent();
    return oomKills > 0 ? { ...event, oomKills } : event;
  }

  #recent(): number {
    const { nowMs } = this.#sources;
    const count = this.#count();
    const isOver = nowMs() - this.#grewAtMs > burstMs;
    if (isOver) this.#before = this.#seen;
    if (count > this.#seen) {
      this.#seen = count;
      this.#grewAtMs = nowMs();
    }
    return this.#seen - this.#before;
  }

  #count(): number {
    const text = this.#file === undefined ? undefined : this.#sources.read(this.#file);
    return readCount(text) ?? 0;
  }
}

/** The file of the hierarchy that has the counter; undefined where there is none that we may read. */
function findCounter(read: ReadText): string | undefined {
  const candidates = [
    ["cgroup2", "", "memory.events"],
    ["cgroup", "memory", "memory.oom_control"],
  ] as const;
  for (const [type, controller, name] of candidates) {
    const own = findOwnGroup(read, type, controller);
    if (own === undefined) continue;
    const file = join(own.point, own.group, name);
    // On a machine with both, version 2 may be mounted and have no memory controller.
    if (readCount(read(file)) !== undefined) return file;
  }
  return undefined;
}

function readCount(text: string | undefined): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(text ?? "")?.[1];
  return count === undefined ? undefined : Number(count);
}
