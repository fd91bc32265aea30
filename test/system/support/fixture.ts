import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../../helpers/wait.ts";

export const fixtureFolder = join(import.meta.dir, "../../fixtures/system");

/** Every process that comes from a fixture carries this in its environment, so that a stray is found by it. */
const marker = "KLEINHIRN_TEST_MARKER";

export type FixtureOptions = {
  readonly args?: readonly string[];
  /** Put in front of Bun, e.g. `["unshare", "--pid"]`. */
  readonly wrapper?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The descriptors from 3 on. */
  readonly extra?: readonly (number | "ignore")[];
};

/** What fixtures say: one JSON object a line, with what it is about in `event`. */
export type Said = Readonly<Record<string, unknown>> & { readonly event: string };

/** A small Bun program of test/fixtures/system, in a process of its own. */
export class Fixture implements AsyncDisposable {
  readonly said: Said[] = [];
  /** What its children print, and its own error messages. */
  output = "";
  readonly #marker = crypto.randomUUID();
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #readers: Promise<unknown>;

  constructor(name: string, { args = [], wrapper = [], environment = {}, extra = [] }: FixtureOptions = {}) {
    this.#process = Bun.spawn({
      cmd: [...wrapper, process.execPath, join(fixtureFolder, name), ...args],
      env: { ...process.env, ...environment, [marker]: this.#marker },
      stdio: ["pipe", "pipe", "pipe", ...extra],
    });
    this.#readers = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    }
  }

  #take(line: string): void {
    if (line.startsWith('{"event":')) this.said.push(JSON.parse(line));
    else this.output += `${line}\n`;
  }

  all(event: string): readonly Said[] {
    return this.said.filter((said) => said.event === event);
  }

  /** Waits until it has said something `count` times, and gives back the last of them. */
  async waitFor(event: string, count = 1): Promise<Said> {
    await waitUntil(
      () => this.all(event).length >= count || this.hasExited,
      () => `${count} × ${event}; it said:\n${this.transcript()}`,
    );
    // Its end may be seen before its last words.
    if (this.hasExited) await this.#readers;
    const last = this.all(event).at(-1);
    if (last === undefined || this.all(event).length < count) {
      throw new Error(`it ended without ${count} × ${event}:\n${this.transcript()}`);
    }
    return last;
  }

  transcript(): string {
    return `${this.said.map((said) => JSON.stringify(said)).join("\n")}\n${this.output}`;
  }

  /** A line for its standard input. */
  tell(line: string): void {
    this.#process.stdin.write(`${line}\n`);
    this.#process.stdin.flush();
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Waits for its end: the exit status, 128 and the signal's number if it was one. */
  async exited(): Promise<number> {
    const status = await this.#process.exited;
    await this.#readers;
    return status;
  }

  /** Living processes that come from this fixture, but not itself. */
  descendants(): readonly number[] {
    const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
    return pids.map(Number).filter((pid) => pid !== this.pid && this.#hasMarker(pid));
  }

  /** A zombie's environment is empty: it counts as gone. */
  #hasMarker(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${marker}=${this.#marker}`);
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasExited) this.signal("SIGKILL");
    await this.#process.exited;
    for (const pid of this.descendants()) killQuietly(pid);
    await this.#readers;
  }
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone between the look and the kill.
  }
}

/** Whether the process is there and not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
