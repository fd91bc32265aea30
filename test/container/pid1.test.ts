/** The duties of PID 1: what tini and dumb-init promise of themselves, asked of kleinhirn in real pid namespaces. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../../src/error-code.ts";
import { readProcessStat } from "../../src/system/process-table.ts";
import { childrenOf, isAlive, signalMasksOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, idle, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { Binary } from "./support/binary.ts";
import { asPid1, findPid1, namespaceOf, processesIn, users, whyNoNamespaces } from "./support/pid1.ts";

setDefaultTimeout(testTimeoutMs);

const obstacle = whyNoNamespaces();
if (obstacle !== undefined) console.warn(`life as PID 1 is skipped: ${obstacle}`);

let binary: Binary;
beforeAll(() => {
  binary = new Binary();
});
afterAll(() => binary[Symbol.dispose]());

const sleepers = (count = 2, settings = "") => `${supervisor(settings)}
  [worker]
  type = "program"
  count = ${count}
  ${shell("exec sleep 1000")}
`;

describe.skipIf(obstacle !== undefined).each([...users])("as $name", (user) => {
  describe("exit status", () => {
    test.each([
      ["SIGTERM", 0],
      ["SIGINT", 0],
      ["SIGQUIT", 2],
    ] as const)("%s: 0, %p of the workers killed, nobody left in the container", async (signal, killed) => {
      await using running = new Running(sleepers(), asPid1(binary.path, user));
      const pid = await findPid1(running);
      const namespace = namespaceOf(pid);
      await running.waitFor("worker set running");
      process.kill(pid, signal);
      expect(await running.exited()).toBe(0);
      expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed });
      expect(processesIn(namespace)).toEqual([]);
    });

    test("1 after a fault with on_fault = exit, 78 for an invalid configuration, 64 for wrong usage", async () => {
      const failing = `${supervisor('on_fault = "exit"')}
        [worker]
        type = "program"
        restart = { intensity = 1 }
        ${shell("exit 9")}
      `;
      await using faulted = new Running(failing, asPid1(binary.path, user));
      expect(await faulted.exited()).toBe(1);
      await using invalid = new Running(
        `${supervisor()}\n[worker]\ntype = "nothing"`,
        asPid1(binary.path, user),
      );
      expect(await invalid.exited()).toBe(78);
      await using misused = new Running("", asPid1(binary.path, user, ["run", "--no-such-flag"]));
      expect(await misused.exited()).toBe(64);
    });

    test("a second TERM doesn't wait for a worker that ignores the first", async () => {
      await using running = new Running(
        `${supervisor('shutdown_timeout = "2h"')}
        [worker]
        type = "program"
        ack = "message"
        stop_timeout = "1h"
        ${shell(`trap "" TERM; ${ackByDescriptor}; ${idle}`)}
      `,
        asPid1(binary.path, user),
      );
      const pid = await findPid1(running);
      await running.waitFor("worker ready");
      process.kill(pid, "SIGTERM");
      await running.waitFor("worker stopping");
      process.kill(pid, "SIGTERM");
      expect(await running.exited()).toBe(0);
      expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 1 });
    });
  });

  test("how a worker ended is told as it was, whatever status or signal", async () => {
    const ends = [0, 1, 2, 126, 127, 128, 137, 255].map(
      (code) => [`exit ${code}`, `status ${code}`] as const,
    );
    const signals = ["HUP", "INT", "QUIT", "ABRT", "KILL", "USR1", "SEGV", "PIPE", "TERM"];
    const deaths = signals.map((signal) => [`kill -${signal} $$`, `signal ${signal}`] as const);
    const all = [...ends, ...deaths];
    const sets = all.map(
      ([script], index) => `
        [workers.w${index}]
        type = "program"
        restart = { intensity = 1, backoff = "1h", backoff_max = "1h" }
        ${shell(`ulimit -c 0; [ -e done.${index} ] && exec sleep 1000; : > done.${index}; ${script}`)}
      `,
    );
    await using running = new Running(`${supervisor()}${sets.join("")}`, asPid1(binary.path, user));
    const pid = await findPid1(running);
    const died = await running.waitFor("worker died", all.length);
    const told = Object.fromEntries(died.map(({ set, exit }) => [set, exit]));
    expect(told).toEqual(Object.fromEntries(all.map(([, exit], index) => [`w${index}`, exit])));
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });

  test("HUP, USR1, USR2 and WINCH from outside reach every worker; no other signal harms PID 1 or them", async () => {
    const traps = ["HUP", "USR1", "USR2", "WINCH"].map((name) => `trap 'echo ${name} >> "got.$$"' ${name}`);
    await using running = new Running(
      `${supervisor()}
      [worker]
      type = "program"
      count = 2
      ack = "message"
      ${shell(`${traps.join("; ")}; ${ackByDescriptor}; ${idle}`)}
    `,
      asPid1(binary.path, user),
    );
    const pid = await findPid1(running);
    await running.waitFor("worker ready", 2);
    // Without a handler the kernel keeps these from PID 1 (pid_namespaces(7)); to a worker they must not be passed on.
    const others = [
      "SIGTSTP",
      "SIGTTIN",
      "SIGTTOU",
      "SIGCONT",
      "SIGALRM",
      "SIGPIPE",
      "SIGIO",
      "SIGXCPU",
    ] as const;
    for (const signal of others) process.kill(pid, signal);
    const got = () =>
      readdirSync(running.folder)
        .filter((name) => name.startsWith("got."))
        .map((name) => readFileSync(join(running.folder, name), "utf8").trimEnd().split("\n"));
    for (const [index, signal] of (["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const).entries()) {
      process.kill(pid, signal);
      await waitUntil(() => got().length === 2 && got().every((lines) => lines.length === index + 1));
    }
    expect(got()).toEqual([
      ["HUP", "USR1", "USR2", "WINCH"],
      ["HUP", "USR1", "USR2", "WINCH"],
    ]);
    expect(running.find("worker died")).toBeUndefined();
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });

  test("a hundred orphans in two stages are adopted and reaped, no zombie stays, no worker is taken for one", async () => {
    // A hundred die at once with their parent, and leave a hundred behind that wait at the gate.
    const script = `
      mkfifo gate
      ( for i in $(seq 100); do ( ( read line < gate; exit 5 ) & exit 4 ) & done )
      ${ackByDescriptor}
      exec sleep 1000
    `;
    await using running = new Running(
      `${supervisor()}\n[worker]\ntype = "program"\nack = "message"\n${shell(script)}`,
      asPid1(binary.path, user),
    );
    const pid = await findPid1(running);
    await running.waitFor("worker set running");
    const zombies = () => processesIn(namespaceOf(pid)).filter((one) => !isAlive(one));
    await waitUntil(() => childrenOf(pid).length === 101 && zombies().length === 0);
    // Those that are not at the gate yet when it is opened have to find it open too.
    await waitUntil(() => {
      openGate(join(running.folder, "gate"));
      return childrenOf(pid).length === 1 && zombies().length === 0;
    });
    const reaped = () => running.all("orphans reaped").reduce((sum, line) => sum + Number(line.count), 0);
    await waitUntil(() => reaped() >= 100);
    expect(running.find("worker died")).toBeUndefined();
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });

  test("process groups: what a worker leaves behind gets the TERM that the worker got, then KILL", async () => {
    const script = `
      sh -c 'trap "echo TERM > polite; exit" TERM; : > there.polite; ${idle}' &
      sh -c 'trap "" TERM; : > there.stubborn; ${idle}' &
      ${ackByDescriptor}
      exec sleep 1000
    `;
    await using running = new Running(
      `${supervisor()}\n[worker]\ntype = "program"\nack = "message"\nstop_timeout = "500ms"\n${shell(script)}`,
      asPid1(binary.path, user),
    );
    const pid = await findPid1(running);
    const namespace = namespaceOf(pid);
    const isThere = (name: string) => existsSync(join(running.folder, name));
    await waitUntil(() => isThere("there.polite") && isThere("there.stubborn"));
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
    expect(isThere("polite")).toBe(true);
    expect(processesIn(namespace)).toEqual([]);
  });

  test("a worker starts with default dispositions and an empty mask, though PID 1 was started with signals ignored", async () => {
    const options = asPid1(binary.path, user);
    await using running = new Running(sleepers(1), {
      ...options,
      wrapper: ["sh", "-c", `trap "" HUP TERM USR1 PIPE TSTP; exec "$@"`, "sh", ...(options.wrapper ?? [])],
    });
    const pid = await findPid1(running);
    await running.waitFor("worker set running");
    const [worker = 0] = childrenOf(pid);
    expect(signalMasksOf(worker)).toEqual({ blocked: 0n, ignored: 0n, caught: 0n });
    expect(readProcessStat(worker)).toMatchObject({ group: readProcessStat(worker)?.session });
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });

  test("KILL from outside takes the whole container with it", async () => {
    await using running = new Running(
      `${supervisor()}\n[worker]\ntype = "program"\ncount = 3\nack = "message"
      ${shell(`trap "" TERM HUP; ( setsid sleep 1000 & ); ${ackByDescriptor}; ${idle}`)}`,
      asPid1(binary.path, user),
    );
    const pid = await findPid1(running);
    const namespace = namespaceOf(pid);
    await running.waitFor("worker set running");
    process.kill(pid, "SIGKILL");
    await running.exited();
    await waitUntil(() => processesIn(namespace).length === 0);
  });
});

/** Who waits to open the pipe for reading, or reads from it, goes on; where nobody does there is nothing to do. */
function openGate(pipe: string): void {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    if (errorCode(error) !== "ENXIO") throw error;
  }
}
