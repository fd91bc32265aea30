/** The pipe into which the application writes when it loads and when its workers have acked (bench/app/marks.rb). */

import { close, constants, openSync, read, rmSync, writeSync } from "node:fs";
import { spawnSync } from "bun";

export type Mark = {
  readonly what: "loading" | "loaded" | "ack";
  readonly pid: number;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly at: number;
};

type Waiter = { readonly accepts: (mark: Mark) => boolean; readonly resolve: (mark: Mark) => void };

const kinds = ["loading", "loaded", "ack"] as const;
const endOfMarks = "end\n";

function parseMark(line: string): Mark {
  const [word, pid, at] = line.split(" ");
  const what = kinds.find((kind) => kind === word);
  if (!what) throw new Error(`this is not a mark: ${JSON.stringify(line)}`);
  return { what, pid: Number(pid), at: Number(at) };
}

export class Marks {
  readonly path: string;
  readonly all: Mark[] = [];
  /** Those of `all` that are acks. */
  readonly acks: Mark[] = [];
  readonly #fd: number;
  #waiters: Waiter[] = [];
  #rest = "";
  #over = false;

  constructor(path: string) {
    this.path = path;
    const made = spawnSync(["mkfifo", path], { stderr: "pipe" });
    if (!made.success) throw new Error(`mkfifo failed: ${made.stderr}`);
    // Also open for writing, so that the pipe has no end of file between two writers (fifo(7)).
    this.#fd = openSync(path, constants.O_RDWR);
    this.#readOn(Buffer.alloc(65536));
  }

  /** The first mark that is accepted, from those already there on. Rejects after `patienceMs`. */
  async next(accepts: (mark: Mark) => boolean, patienceMs: number, wanted: string): Promise<Mark> {
    const there = this.all.find(accepts);
    if (there) return there;
    const { promise, resolve, reject } = Promise.withResolvers<Mark>();
    const alarm = setTimeout(() => reject(new Error(`no ${wanted} within ${patienceMs} ms`)), patienceMs);
    this.#waiters.push({ accepts, resolve });
    return promise.finally(() => clearTimeout(alarm));
  }

  close(): void {
    this.#over = true;
    // The read that is under way has to return, or its thread would hold the process.
    writeSync(this.#fd, endOfMarks);
    rmSync(this.path);
  }

  #readOn(buffer: Buffer): void {
    read(this.#fd, buffer, 0, buffer.length, null, (error, count) => {
      if (this.#over) return close(this.#fd);
      if (error) throw error;
      this.#take(buffer.toString("latin1", 0, count));
      this.#readOn(buffer);
    });
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const mark of lines.map(parseMark)) {
      this.all.push(mark);
      if (mark.what === "ack") this.acks.push(mark);
      for (const waiter of this.#waiters) if (waiter.accepts(mark)) waiter.resolve(mark);
      this.#waiters = this.#waiters.filter((waiter) => !waiter.accepts(mark));
    }
  }
}
