import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listDescendants, readTitle, waitFor } from "./processes.ts";
import { kleinhirn } from "./program.ts";
import { repositoryRoot } from "./repository-files.ts";

const folder = join(repositoryRoot, "examples", "shop");
const ownName = "shop";
const ownHealthPort = 3000;

export type ShopOptions = {
  /** The supervisor's name; two of the same name can't run at one time. */
  readonly name: string;
  readonly healthPort: number;
  readonly webPort: number;
  readonly environment: Readonly<Record<string, string>>;
  /** A descriptor for standard output and error; undefined: this process's own. */
  readonly output: number | undefined;
};

/** What the JSON health answer says, as far as the demo needs it. */
export type ShopHealth = {
  readonly sets: readonly {
    readonly name: string;
    readonly state: string;
    readonly ready: number;
    readonly count: number;
    readonly workers: readonly {
      readonly slot: number;
      readonly phase: string;
      readonly pid: number | null;
    }[];
  }[];
};

/** examples/shop under kleinhirn, which gets its listening socket from with-socket. */
export class Shop {
  readonly process: Bun.Subprocess;
  readonly healthUrl: string;
  readonly webUrl: string;
  readonly name: string;
  readonly #configFile: string;

  private constructor(options: ShopOptions, configFile: string) {
    this.name = options.name;
    this.healthUrl = `http://127.0.0.1:${options.healthPort}/healthz`;
    this.webUrl = `http://127.0.0.1:${options.webPort}/`;
    this.#configFile = configFile;
    const output = options.output ?? "inherit";
    const withSocket = [join(folder, "bin", "with-socket"), `127.0.0.1:${options.webPort}`];
    // The socket is there before kleinhirn is, and kleinhirn is the same process as with-socket was (exec), just as
    // under systemd.
    this.process = Bun.spawn(["ruby", ...withSocket, ...kleinhirn, "run", "-f", configFile], {
      cwd: repositoryRoot,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", output, output],
      // A session of its own: a terminal's Ctrl-C reaches this process alone, and is passed on once, not twice.
      detached: true,
    });
  }

  static start(options: ShopOptions): Shop {
    return new Shop(options, writeConfig(options));
  }

  /** Rejects when kleinhirn ends before it is healthy, or isn't within the time. */
  async waitUntilHealthy(timeoutMs: number): Promise<void> {
    await waitFor(`${this.healthUrl} to answer 200`, timeoutMs, async () => {
      const { exitCode, signalCode } = this.process;
      if (exitCode !== null || signalCode !== null) {
        throw new ShopEnded(
          exitCode,
          `kleinhirn ended with ${signalCode ?? `status ${exitCode}`} before it was healthy`,
        );
      }
      return (await this.#ask("text/plain"))?.status === 200;
    });
  }

  /** undefined when there is no answer. */
  async health(): Promise<ShopHealth | undefined> {
    const response = await this.#ask("application/json");
    // Reason for the cast: our own server's answer; a field that is missing fails the check that reads it.
    return response && ((await response.json()) as ShopHealth);
  }

  /** The pid of a ready worker; undefined when there is none in that slot. */
  async workerPid(set: string, slot: number): Promise<number | undefined> {
    const workers = (await this.health())?.sets.find(({ name }) => name === set)?.workers;
    return workers?.find((worker) => worker.slot === slot && worker.phase === "ready")?.pid ?? undefined;
  }

  /** The pid of the preloader that is ready to fork. */
  preloaderPid(): number | undefined {
    const title = new RegExp(`^kleinhirn: ${this.name} preloader .*ready`);
    return listDescendants(this.process.pid).find((pid) => title.test(readTitle(pid)));
  }

  /** Removes what `start` wrote. */
  cleanUp(): void {
    if (this.#configFile !== ownConfigFile) rmSync(this.#configFile, { force: true });
  }

  #ask(accept: string): Promise<Response | undefined> {
    const signal = AbortSignal.timeout(2000);
    return fetch(this.healthUrl, { headers: { accept }, signal }).catch(() => undefined);
  }
}

/** kleinhirn ended by itself; the exit status is null after a signal. */
export class ShopEnded extends Error {
  readonly exitCode: number | null;

  constructor(exitCode: number | null, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

const ownConfigFile = join(folder, "kleinhirn.toml");

/**
 * The example's own file, if it will do; else a copy of it with another name and port. The copy lies beside it, because
 * the paths in it are relative to its folder.
 */
function writeConfig({ name, healthPort }: ShopOptions): string {
  if (name === ownName && healthPort === ownHealthPort) return ownConfigFile;
  const text = readFileSync(ownConfigFile, "utf8");
  const changed = text
    .replace(`name = "${ownName}"`, `name = "${name}"`)
    .replace(`listen_addr = "127.0.0.1:${ownHealthPort}"`, `listen_addr = "127.0.0.1:${healthPort}"`);
  const file = join(folder, `.demo-${process.pid}.toml`);
  writeFileSync(file, changed);
  return file;
}
