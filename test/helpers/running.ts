/** A real supervisor process for a test: its log as parsed events, its health answers, and nothing left behind. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Subprocess } from "bun";
import { kleinhirn } from "./program.ts";
import { waitUntil } from "./wait.ts";

export { repository } from "./program.ts";

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: string };
export type Match = string | ((line: LogLine) => boolean);

export type StartOptions = {
  /** Executable files to write beside the configuration, by relative path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Instead of `run -f kleinhirn.toml`. */
  readonly args?: readonly string[];
  /** Put in front of kleinhirn, e.g. `["unshare", "--pid"]`; `@FOLDER@` stands for the test's folder, as in the configuration. */
  readonly wrapper?: readonly string[];
  /** Instead of `kleinhirn run -f FILE`. */
  readonly program?: (file: string) => readonly string[];
  /** The test's folder where it is not said. */
  readonly cwd?: string;
  readonly stdio?: readonly ("ignore" | "pipe" | number)[];
};

/** Every process that comes from this test carries this in its environment, so that a stray is found by it. */
export const marker = "KLEINHIRN_TEST_MARKER";

/** A supervisor that was told QUIT is gone in an instant; the bound is for one that is broken. */
const quitMs = 20_000;

export class Running {
  readonly folder: string;
  readonly process: Subprocess<"ignore", "pipe", "pipe">;
  readonly lines: LogLine[] = [];
  /** What is no log event: the output of workers, usage errors. */
  output = "";
  /** All of it, byte for byte, the log included. */
  readonly bytes: { readonly stdout: Uint8Array[]; readonly stderr: Uint8Array[] } = {
    stdout: [],
    stderr: [],
  };
  readonly #marker = `${process.pid}-${crypto.randomUUID()}`;
  readonly #readers: Promise<unknown>;
  /** It has ended, and all that it ever wrote has been read. */
  #isOver = false;

  constructor(toml: string, options: StartOptions = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "kleinhirn-"));
    for (const [name, content] of Object.entries(options.files ?? {})) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), content, { mode: 0o755 });
    }
    const file = join(this.folder, "kleinhirn.toml");
    writeFileSync(file, toml.replaceAll("@FOLDER@", this.folder));
    const { args = ["run", "-f", file], program, cwd = this.folder } = options;
    const wrapper = (options.wrapper ?? []).map((part) => part.replaceAll("@FOLDER@", this.folder));
    this.process = Bun.spawn([...wrapper, ...(program?.(file) ?? [...kleinhirn, ...args])], {
      cwd,
      env: { ...process.env, XDG_RUNTIME_DIR: this.folder, ...options.env, [marker]: this.#marker },
      stdio: ["ignore", "pipe", "pipe", ...(options.stdio ?? [])] as ["ignore", "pipe", "pipe"],
    });
    this.#readers = Promise.all([this.#read("stdout"), this.#read("stderr")]);
    void Promise.all([this.process.exited, this.#readers]).then(() => {
      this.#isOver = true;
    });
  }

  get pid(): number {
    return this.process.pid;
  }

  async #read(name: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.process[name]) {
      this.bytes[name].push(chunk);
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    }
    if (rest !== "") this.#take(rest);
  }

  #take(line: string): void {
    if (line.startsWith("{")) {
      try {
        this.lines.push(JSON.parse(line));
        return;
      } catch {
        // A worker's own output may look like this.
      }
    }
    this.output += `${line}\n`;
  }

  find(match: Match): LogLine | undefined {
    return this.lines.find(matcher(match));
  }

  all(match: Match): readonly LogLine[] {
    return this.lines.filter(matcher(match));
  }

  /** Waits until at least `count` events match, and returns them; fails at once when no more can come. */
  async waitFor(match: Match, count = 1): Promise<readonly LogLine[]> {
    const describe = () => `${count} × ${String(match)} in:\n${this.transcript()}`;
    const isThere = () => {
      if (this.all(match).length >= count) return true;
      if (this.#isOver) throw new Error(`the supervisor ended (${this.#ending()}) without ${describe()}`);
      return false;
    };
    await waitUntil(isThere, describe);
    return this.all(match);
  }

  #ending(): string {
    const { signalCode, exitCode } = this.process;
    return signalCode === null ? `status ${exitCode}` : `signal ${signalCode}`;
  }

  transcript(): string {
    return `${this.lines.map((line) => JSON.stringify(line)).join("\n")}\n${this.output}`;
  }

  /** Once the server listens; the URL comes from the log. */
  async health(path: string, init: RequestInit = {}): Promise<Response> {
    const [line] = await this.waitFor("health server listening");
    // Not kept alive: tests count the supervisor's descriptors.
    return fetch(new URL(path, String(line?.url)), { keepalive: false, ...init });
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Waits for the end of the process and of its output. */
  async exited(): Promise<number> {
    const code = await this.process.exited;
    await this.#readers;
    return code;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.signal(signal);
    return await this.exited();
  }

  /** Pids of all living processes that come from this supervisor, itself included. */
  processes(): readonly number[] {
    return readdirSync("/proc")
      .filter(isNumber)
      .map(Number)
      .filter((pid) => hasMarker(pid, this.#marker));
  }

  /**
   * Kills whatever is left, by pid, and fails the test if anything but the supervisor had to be. The output is awaited only
   * then: what is left behind may hold it open for ever.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const isLeft = this.process.exitCode === null && this.process.signalCode === null;
    if (isLeft) this.signal("SIGQUIT");
    const isStuck = (await Promise.race([this.process.exited, Bun.sleep(quitMs)])) === undefined;
    const left = this.processes();
    const names = left.map((pid) => `${pid}: ${commandLine(pid)}`);
    for (const pid of left) killQuietly(pid);
    await this.#readers;
    rmSync(this.folder, { recursive: true, force: true });
    if (isStuck) throw new Error(`the supervisor did not end by QUIT\n${this.transcript()}`);
    if (left.length > 0) throw new Error(`left behind: ${names.join("; ")}\n${this.transcript()}`);
  }
}

function matcher(match: Match): (line: LogLine) => boolean {
  return typeof match === "string" ? (line) => line.msg === match : match;
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

/** A zombie's environment is empty: it counts as gone. */
function hasMarker(pid: number, value: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`${marker}=${value}`);
  } catch {
    return false;
  }
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone between the look and the kill.
  }
}
