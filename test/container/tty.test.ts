/** PID 1 on a terminal, as `podman run -it` starts it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import { childrenOf } from "../helpers/processes.ts";
import { ackByDescriptor, idle, shell } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { Binary } from "./support/binary.ts";
import {
  inNamespace,
  namespaceOf,
  processesIn,
  root,
  type User,
  users,
  whyNoNamespaces,
} from "./support/pid1.ts";

setDefaultTimeout(testTimeoutMs);

const obstacle = whyNoNamespaces();
if (obstacle !== undefined) console.warn(`life on a terminal is skipped: ${obstacle}`);

let binary: Binary;
beforeAll(() => {
  binary = new Binary();
});
afterAll(() => binary[Symbol.dispose]());

/** Each signal that a worker gets is a line in `got`, each worker that is ready for them one in `ready`. */
const traps = ["INT", "HUP", "WINCH", "TSTP"].map((name) => `trap 'echo ${name} >> got' ${name}`).join("; ");
const configuration = `
  [supervisor]
  name = "it"
  [worker]
  type = "program"
  ack = "message"
  ${shell(`${traps}; trap 'echo TERM >> got; exit' TERM; ${ackByDescriptor}; echo $$ >> ready; ${idle}`)}
`;

/** A supervisor whose standard streams are a terminal, which is its controlling terminal. */
class OnTerminal implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "kleinhirn-"));
  readonly process: Bun.Subprocess;
  readonly terminal: Bun.Terminal;
  shown = "";

  constructor(user: User) {
    const file = join(this.folder, "kleinhirn.toml");
    writeFileSync(file, configuration);
    chmodSync(this.folder, 0o755);
    chownSync(this.folder, user.uid, user.uid);
    const decoder = new TextDecoder();
    const identity = ["setpriv", "--reuid", String(user.uid), "--regid", String(user.uid), "--clear-groups"];
    // An engine makes PID 1 the leader of the terminal's session, which is whom a terminal hangs up on.
    const command = [...inNamespace(root), "setsid", "--ctty", ...identity];
    this.process = Bun.spawn([...command, binary.path, "run", "-f", file], {
      cwd: this.folder,
      terminal: {
        cols: 80,
        rows: 24,
        data: (_, chunk) => {
          this.shown += decoder.decode(chunk, { stream: true });
        },
      },
    });
    const { terminal } = this.process;
    if (terminal === undefined) throw new Error("no terminal was made");
    this.terminal = terminal;
  }

  async shows(text: string): Promise<void> {
    await waitUntil(
      () => this.shown.includes(text),
      () => `${text} in:\n${this.shown}`,
    );
  }

  /** What the worker says that it got. */
  get got(): readonly string[] {
    return this.#linesOf("got");
  }

  /** The workers that have ever been ready. */
  get ready(): readonly string[] {
    return this.#linesOf("ready");
  }

  #linesOf(name: string): readonly string[] {
    const file = join(this.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of childrenOf(this.process.pid)) process.kill(pid, "SIGKILL");
    await this.process.exited;
    if (!this.terminal.closed) this.terminal.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe.skipIf(obstacle !== undefined).each([...users])("on a terminal, as $name", (user) => {
  test("the log is for people; workers have sessions of their own and no controlling terminal", async () => {
    await using it = new OnTerminal(user);
    await it.shows("worker set running");
    expect(it.shown).toContain("\u001b[");
    const [pid1 = 0] = childrenOf(it.process.pid);
    const [worker = 0] = childrenOf(pid1);
    expect(readProcessStat(worker)).toMatchObject({ session: worker, group: worker });
    expect(terminalOf(pid1)).not.toBe(0);
    expect(terminalOf(worker)).toBe(0);
  });

  test("Ctrl-C reaches the supervisor alone, which asks the workers by their stop signal", async () => {
    await using it = new OnTerminal(user);
    await it.shows("worker set running");
    const [pid1 = 0] = childrenOf(it.process.pid);
    const namespace = namespaceOf(pid1);
    it.terminal.write("\u0003");
    expect(await it.process.exited).toBe(0);
    expect(it.got).toEqual(["TERM"]);
    expect(processesIn(namespace)).toEqual([]);
  });

  test("a change of the window's size is passed on; a terminal that hangs up is a HUP and no reason to stop", async () => {
    await using it = new OnTerminal(user);
    await waitUntil(() => it.ready.length === 1);
    const [pid1 = 0] = childrenOf(it.process.pid);
    it.terminal.resize(100, 40);
    await waitUntil(() => it.got.includes("WINCH"));
    it.terminal.close();
    await waitUntil(() => it.got.includes("HUP"));
    // Its log has nowhere to go now: what it does must not depend on that.
    const [worker = 0] = childrenOf(pid1);
    process.kill(worker, "SIGKILL");
    await waitUntil(() => it.ready.length === 2);
    process.kill(pid1, "SIGTERM");
    expect(await it.process.exited).toBe(0);
    expect(it.got.at(-1)).toBe("TERM");
  });
});

/** The device number of the controlling terminal, field 7 of proc_pid_stat(5); 0: it has none. */
function terminalOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[4]);
}
