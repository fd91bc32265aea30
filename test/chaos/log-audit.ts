/**
 * Reads the whole log of a life again and holds it to the promises: every launched worker has exactly one end, deaths are
 * the exits that nobody asked for, no slot has two workers, no set more than `count`.
 */
import type { LogLine } from "../helpers/running.ts";

export type WorkerLife = {
  readonly id: string;
  readonly set: string;
  readonly slot: number;
  pid: number | undefined;
  isReady: boolean;
  isAsked: boolean;
  end: LogLine | undefined;
};

/** What ends a launch that never became a process. */
const unborn = [
  "worker launch failed",
  "worker launch put off",
  "worker launch withdrawn",
  "worker launch given up",
];
const asked = ["worker stopped", "worker killed"];

export class LogAudit {
  readonly lives = new Map<string, WorkerLife>();
  readonly violations: string[] = [];
  readonly #counts: Readonly<Record<string, number>>;
  /** Who has a slot, by `set.slot`. */
  readonly #slots = new Map<string, WorkerLife>();
  #read = 0;
  #isKillingAll = false;
  #isStopping = false;

  /** @param counts how many workers each set has. */
  constructor(lines: readonly LogLine[], counts: Readonly<Record<string, number>>) {
    this.#counts = counts;
    this.readOn(lines);
  }

  /** The same log, some lines longer. */
  readOn(lines: readonly LogLine[]): this {
    for (const line of lines.slice(this.#read)) this.#take(line);
    this.#read = lines.length;
    return this;
  }

  /** Of this set, or of all: launched and not at their end. */
  living(set?: string): readonly WorkerLife[] {
    return [...this.lives.values()].filter(
      (life) => life.end === undefined && (set === undefined || life.set === set),
    );
  }

  #take(line: LogLine): void {
    const { msg } = line;
    if (msg === "log events dropped") this.#complain(line, "the audit needs every line");
    if (msg === "killing everything that is left") this.#isKillingAll = true;
    if (msg === "stopping") this.#isStopping = true;
    if (msg === "worker launched" || msg === "worker launched too late") this.#launch(line);
    if (msg === "worker ready") this.#ready(line);
    if (msg === "worker stopping" || msg === "worker did not ack in time") this.#ask(line);
    if (msg === "worker died") this.#die(line);
    if (asked.includes(msg)) this.#finish(line);
    if (unborn.includes(msg)) this.#expectUnborn(line);
  }

  #launch(line: LogLine): void {
    const { worker, set, slot, pid } = line;
    if (this.lives.has(String(worker))) return this.#complain(line, "launched twice");
    if (this.#isStopping && line.msg === "worker launched") this.#complain(line, "launched after the stop");
    const life: WorkerLife = {
      id: String(worker),
      set: String(set),
      slot: Number(slot),
      pid: Number(pid),
      isReady: false,
      isAsked: line.msg === "worker launched too late",
      end: undefined,
    };
    const count = this.#counts[life.set] ?? 0;
    if (!(life.slot < count)) this.#complain(line, `a slot beyond ${count}`);
    const place = `${life.set}.${life.slot}`;
    if (this.#slots.has(place)) this.#complain(line, `its slot has ${this.#slots.get(place)?.id}`);
    this.#slots.set(place, life);
    this.lives.set(life.id, life);
  }

  #ready(line: LogLine): void {
    const life = this.#find(line);
    if (life === undefined) return;
    if (life.isReady) this.#complain(line, "ready twice");
    if (life.isAsked) this.#complain(line, "ready though it was asked to go");
    life.isReady = true;
  }

  #ask(line: LogLine): void {
    const life = this.#find(line);
    if (life !== undefined) life.isAsked = true;
  }

  #die(line: LogLine): void {
    // Its exit overtook the announcement of its pid: it was never launched, as far as the log goes.
    if (line.was === "requested") {
      if (this.lives.has(String(line.worker))) this.#complain(line, "it was launched");
      return;
    }
    const life = this.#find(line);
    if (life?.isAsked) this.#complain(line, "it was asked to go");
    if (line.asked !== false) this.#complain(line, "a death is what nobody asked for");
    this.#end(life, line);
  }

  #finish(line: LogLine): void {
    const life = this.#find(line);
    if (life !== undefined && !life.isAsked && !this.#isKillingAll)
      this.#complain(line, "nobody asked it to go");
    this.#end(life, line);
  }

  #end(life: WorkerLife | undefined, line: LogLine): void {
    if (life === undefined) return;
    if (line.pid !== life.pid) this.#complain(line, `its pid was ${life.pid}`);
    life.end = line;
    this.#slots.delete(`${life.set}.${life.slot}`);
  }

  #expectUnborn(line: LogLine): void {
    if (this.lives.has(String(line.worker))) this.#complain(line, "it was launched");
  }

  /** Of a worker that lives. */
  #find(line: LogLine): WorkerLife | undefined {
    const life = this.lives.get(String(line.worker));
    if (life === undefined) this.#complain(line, "it was never launched");
    else if (life.end !== undefined) this.#complain(line, `it has ended: ${JSON.stringify(life.end)}`);
    return life?.end === undefined ? life : undefined;
  }

  #complain(line: LogLine, what: string): void {
    this.violations.push(`${what}: ${JSON.stringify(line)}`);
  }
}
