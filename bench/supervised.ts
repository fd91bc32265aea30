/** One supervisor under measurement, from its start until nothing of it is left. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { application, type Contender, type Job } from "./contender.ts";
import { type Mark, Marks } from "./marks.ts";
import { startTimeOf, treeOf } from "./proc.ts";

const patienceMs = 60_000;
const stopMs = 20_000;
const keptLogLines = 30;

type Supervisor = Bun.Subprocess<"ignore", "ignore", "pipe">;

/** Those that run now, so that an interrupted harness leaves none behind. */
const running = new Set<Supervised>();

export class Supervised {
  readonly pid: number;
  readonly marks: Marks;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly startedAt: number;
  /** When each line that counts a worker as ready came out of the supervisor. */
  readonly countedReadyAt: number[] = [];
  readonly #folder: string;
  readonly #contender: Contender;
  readonly #clock: Clock;
  readonly #child: Supervisor;
  readonly #log: string[] = [];
  /** Pid to start time, of everything that was ever seen below the supervisor. */
  readonly #seen = new Map<number, string>();

  constructor(contender: Contender, job: Job, clock: Clock) {
    this.#folder = mkdtempSync(join(tmpdir(), "kleinhirn-bench-"));
    this.#contender = contender;
    this.#clock = clock;
    this.marks = new Marks(join(this.#folder, "marks"));
    const { argv, env } = contender.prepare(job, this.#folder);
    const options = {
      cwd: application,
      env: { ...process.env, ...env, BENCH_MARKS: this.marks.path },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    } as const;
    this.startedAt = clock.now();
    this.#child = Bun.spawn([...argv], options);
    this.pid = this.#child.pid;
    running.add(this);
    void this.#readLog();
  }

  /** Resolves with the latest of the first `count` acks since the start. */
  async acked(count: number): Promise<Mark> {
    const enough = () => this.marks.acks.length >= count;
    await this.#orDeath(this.marks.next(enough, patienceMs, `${count} acks`));
    // Two workers that ack at the same time may write their marks in either order.
    return this.marks.acks.slice(0, count).reduce((latest, mark) => (mark.at > latest.at ? mark : latest));
  }

  /** Kills a worker and resolves with the milliseconds until its replacement's ack. */
  async replace(pid: number): Promise<{ readonly ms: number; readonly replacement: number }> {
    const before = this.marks.acks.length;
    const killedAt = this.#clock.now();
    process.kill(pid, "SIGKILL");
    const mark = await this.acked(before + 1);
    return { ms: (mark.at - killedAt) / 1e6, replacement: mark.pid };
  }

  /** Notes every process there is now, for `stop` to see that it is gone. */
  remember(): readonly number[] {
    const tree = treeOf(this.pid);
    for (const pid of tree) {
      const start = startTimeOf(pid);
      if (start) this.#seen.set(pid, start);
    }
    return tree;
  }

  /** Ends the supervisor by TERM. Throws if it has to be killed or leaves something behind, after killing that. */
  async stop(): Promise<void> {
    this.remember();
    this.#child.kill("SIGTERM");
    const alarm = setTimeout(() => this.#child.kill("SIGKILL"), stopMs);
    await this.#child.exited;
    clearTimeout(alarm);
    const left = this.killSeen();
    this.#tidy();
    if (this.#child.signalCode === "SIGKILL") throw this.#complain(`took more than ${stopMs} ms to stop`);
    if (left > 0) throw this.#complain(`left ${left} processes behind`);
  }

  /** After a failure: kills all of it. */
  async abandon(): Promise<void> {
    this.remember();
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.killSeen();
    this.#tidy();
  }

  /** Kills whatever is left of what was seen, and returns how many that were. */
  killSeen(): number {
    const left = [...this.#seen].filter(([pid, start]) => startTimeOf(pid) === start);
    for (const [pid] of left) process.kill(pid, "SIGKILL");
    return left.length;
  }

  killNow(): void {
    this.remember();
    this.#child.kill("SIGKILL");
    this.killSeen();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tidy(): void {
    running.delete(this);
    this.marks.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #complain(what: string): Error {
    return new Error(`${this.#contender.name} ${what}; the last it logged:\n${this.#log.join("\n")}`);
  }

  async #orDeath<T>(wanted: Promise<T>): Promise<T> {
    const death = this.#child.exited.then((status) => {
      throw this.#complain(`exited with status ${status}`);
    });
    // Whichever comes second is of no interest.
    death.catch(() => {});
    try {
      return await Promise.race([wanted, death]);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("no "))
        throw this.#complain(`gave ${error.message}`);
      throw error;
    }
  }

  async #readLog(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#child.stderr) {
      const at = this.#clock.now();
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (this.#contender.countsReady(line)) this.countedReadyAt.push(at);
      this.#log.push(...lines);
      this.#log.splice(0, this.#log.length - keptLogLines);
    }
  }
}

/** Runs `measure` on a supervisor that is gone afterwards, whatever happens. */
export async function supervised<T>(
  contender: Contender,
  job: Job,
  clock: Clock,
  measure: (run: Supervised) => Promise<T>,
): Promise<T> {
  const run = new Supervised(contender, job, clock);
  try {
    const result = await measure(run);
    await run.stop();
    return result;
  } catch (error) {
    if (running.has(run)) await run.abandon();
    throw error;
  }
}

/** For a harness that is interrupted. */
export function killAllSupervised(): void {
  for (const run of running) run.killNow();
}
