import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ExitStatus } from "../../src/core/exit-status.ts";
import { type ChildRequest, isBunChild, spawnChild } from "../../src/system/child.ts";
import { limitOpenFiles, readOpenFileLimits } from "../../src/system/limits.ts";
import { OperatingSystemError } from "../../src/system/operating-system-error.ts";
import { waitUntil } from "../helpers/wait.ts";
import { Fixture, isRunning, killQuietly } from "./support/fixture.ts";
import { childRequest, path, runChild, runScript } from "./support/run-child.ts";
import { fallbackProgram, steps } from "./support/steps.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

setDefaultTimeout(60_000);

const started: number[] = [];
afterEach(() => started.splice(0).forEach(killQuietly));

function catchError(action: () => unknown): OperatingSystemError {
  try {
    action();
  } catch (error) {
    if (error instanceof OperatingSystemError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

describe.each(steps)("a child by way of the $kind step", ({ step }) => {
  test("has 0, 1 and 2 and nothing else", async () => {
    const { text } = await runScript("exec ls -l /proc/self/fd", step);
    // The folder that ls itself reads is at the first free number.
    expect(descriptorsOf(text)).toEqual(["0 /dev/null", "1 file", "2 file", "3 ls"]);
  });

  test("leads its session and group, with default dispositions and an empty mask", async () => {
    const { text, pid } = await runScript("exec cat /proc/self/stat /proc/self/status", step);
    const [, , , parent, group, session] = text.split(" ").map(Number);
    expect({ parent, group, session }).toEqual({ parent: process.pid, group: pid, session: pid });
    expect(text).toMatch(/^SigBlk:\t0+$/m);
    expect(text).toMatch(/^SigIgn:\t0+$/m);
  });

  test("gets its own argv[0], folder, and environment and nothing of ours", async () => {
    using folder = new TemporaryFolder();
    const out = folder.file("out");
    const script = 'exec >"$OUT"; echo "$0|$1"; pwd; exec env';
    const environment = { PATH: path, OUT: out, ODD: "a b=c\n☂", BUN_OPTIONS: "--no-such-flag" };
    const request = childRequest(["sh", "-c", script, "zero", ""], { cwd: folder.path, environment });
    expect(await runChild(request, step)).toEqual({ kind: "exited", code: 0 });
    const [words, cwd, ...variables] = readFileSync(out, "utf8").split("\n");
    expect(words).toBe("zero|");
    expect(cwd).toBe(folder.path);
    const names = variables.filter((line) => line.includes("=")).map((line) => line.replace(/=.*/, ""));
    // PWD is the shell's.
    expect(names.sort()).toEqual(["BUN_OPTIONS", "ODD", "OUT", "PATH", "PWD"]);
    expect(variables.join("\n")).toContain("ODD=a b=c\n☂\n");
  });

  test("has the soft limit of open files that was asked for, and the hard one of ours", async () => {
    const hard = readFileSync("/proc/self/limits", "utf8").match(/^Max open files +\d+ +(\d+)/m)?.[1];
    const limited = await runScript("ulimit -Sn; ulimit -Hn", step, { openFiles: 77 });
    expect(limited.text).toBe(`77\n${hard}\n`);
    const beyond = await runScript("ulimit -Sn", step, { openFiles: 1_000_000_000 });
    expect(beyond.text).toBe(`${hard}\n`);
  });

  test.each<{ script: string; exit: ExitStatus }>([
    { script: "exit 0", exit: { kind: "exited", code: 0 } },
    { script: "exit 201", exit: { kind: "exited", code: 201 } },
    { script: "kill -TERM $$", exit: { kind: "signaled", signal: 15 } },
    { script: "kill -KILL $$", exit: { kind: "signaled", signal: 9 } },
    { script: "kill -40 $$", exit: { kind: "signaled", signal: 40 } },
  ])("that does `$script` is reported as that", async ({ script, exit }) => {
    expect((await runScript(script, step)).exit).toEqual(exit);
  });

  test("can ack by the descriptor that the variable names, and nothing else is open", async () => {
    const chunks: Uint8Array[] = [];
    const ended = Promise.withResolvers<void>();
    const ack = {
      variable: "STATUS",
      onData: (chunk: Uint8Array) => chunks.push(chunk),
      onEnd: () => ended.resolve(),
    };
    // It closes its end and stays until that has been seen: what is still under way at an exit may be lost.
    const script =
      'exec >"$OUT"; eval "echo ready >&$STATUS; exec $STATUS>&-"; read -r _ <"$FIFO"; echo "$STATUS"';
    using folder = new TemporaryFolder();
    const fifo = folder.file("fifo");
    Bun.spawnSync(["mkfifo", fifo]);
    const environment = { PATH: path, OUT: folder.file("out"), FIFO: fifo };
    const exit = runChild(childRequest(["sh", "-c", script], { ack, environment }), step);
    await ended.promise;
    expect(Buffer.concat(chunks).toString()).toBe("ready\n");
    writeFileSync(fifo, "go\n");
    expect(await exit).toEqual({ kind: "exited", code: 0 });
    const number = Number(readFileSync(folder.file("out"), "utf8"));
    expect(number).toBeGreaterThanOrEqual(3);

    const { text } = await runScript("exec ls -l /proc/self/fd", step, { ack });
    expect(descriptorsOf(text).filter((line) => !line.endsWith("ls"))).toEqual([
      "0 /dev/null",
      "1 file",
      "2 file",
      `${number} socket`,
    ]);
  });

  test("that can't be executed after all says so and exits with 126 or 127", async () => {
    using folder = new TemporaryFolder();
    const withoutInterpreter = folder.file("script");
    writeFileSync(withoutInterpreter, "#!/no/such/interpreter\n");
    const noProgram = folder.file("data");
    writeFileSync(noProgram, "echo a shell would run this\n");
    for (const file of [withoutInterpreter, noProgram]) chmodSync(file, 0o755);
    expect(await runChild(childRequest([withoutInterpreter]), step)).toEqual({ kind: "exited", code: 127 });
    expect(await runChild(childRequest([noProgram]), step)).toEqual({ kind: "exited", code: 126 });
  });

  test("is told of by name when it can't be started", () => {
    const attempt = (argv: ChildRequest["argv"], rest: Partial<ChildRequest> = {}) =>
      catchError(() => spawnChild(childRequest(argv, rest), step));
    expect(attempt(["no-such-program"])).toMatchObject({ code: "ENOENT", syscall: "execve" });
    expect(attempt(["/etc/passwd"])).toMatchObject({ code: "EACCES", syscall: "execve" });
    expect(attempt(["true"], { cwd: "/no/such/folder" })).toMatchObject({ code: "ENOENT", syscall: "chdir" });
    expect(attempt(["true"], { cwd: "/etc/passwd" })).toMatchObject({ code: "ENOTDIR", syscall: "chdir" });
    const long = "x".repeat(200_000);
    expect(attempt(["true", long])).toMatchObject({ code: "E2BIG", syscall: "posix_spawn" });
    expect(attempt(["true", long]).message).toContain("arguments");
  });

  test("leaves no descriptor behind, neither when it ends nor when it can't be started", async () => {
    const ack = { variable: "STATUS", onData() {}, onEnd() {} };
    await runChild(childRequest(["true"], { ack }), step);
    const before = openDescriptors();
    for (let i = 0; i < 10; i++) {
      await Promise.all([1, 2, 3].map(() => runChild(childRequest(["true"], { ack }), step)));
      const long = childRequest(["true", "x".repeat(200_000)], { ack });
      expect(catchError(() => spawnChild(long, step)).code).toBe("E2BIG");
    }
    // Bun closes a socket at the end of a turn of its loop.
    await waitUntil(() => openDescriptors() <= before);
  });

  test("is Bun's from its start to its end, which is told once, and not before the start is over", async () => {
    const exits: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    let pid = 0;
    const onExit = () => {
      exits.push(`${pid > 1} ${isBunChild(pid)}`);
      resolve();
    };
    ({ pid } = spawnChild(childRequest(["sleep", "1000"], { onExit }), step));
    started.push(pid);
    expect(isBunChild(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
    await promise;
    expect(isBunChild(pid)).toBe(false);
    expect(exits).toEqual(["true false"]);
  });
});

test("the ack descriptor never takes the number of the step's own file", async () => {
  const { step } = memoryStep();
  // Everything below is in use, so the first free number in the child would be that one.
  const listen = { firstDescriptor: 3, count: step.descriptor - 3, names: undefined, isAnnounced: false };
  const ack = { variable: "STATUS", onData() {}, onEnd() {} };
  const { text, exit } = await runScript('echo "$STATUS"', step, { listen, ack });
  expect(exit).toEqual({ kind: "exited", code: 0 });
  expect(text).toBe(`${step.descriptor + 1}\n`);
});

test("too many open descriptors of our own are told of by name", () => {
  const { step } = memoryStep();
  const { soft } = readOpenFileLimits();
  const ack = { variable: "STATUS", onData() {}, onEnd() {} };
  limitOpenFiles(3);
  try {
    expect(() => spawnChild(childRequest(["true"], { ack }), step)).toThrow("EMFILE");
  } finally {
    limitOpenFiles(soft);
  }
});

test("our end of the ack descriptor is closed with the child, though something of its still holds the other", async () => {
  const { step } = memoryStep();
  const ack = { variable: "STATUS", onData() {}, onEnd() {} };
  await runChild(childRequest(["true"], { ack }), step);
  const before = openDescriptors();
  const { text } = await runScript("sleep 1000 & echo $!", step, { ack });
  started.push(Number(text));
  await waitUntil(() => openDescriptors() <= before);
  expect(isRunning(Number(text))).toBe(true);
});

describe.each(steps)("the parent death signal by the $kind step", ({ kind }) => {
  test("ends the child when the supervisor is killed with KILL", async () => {
    await using fixture = new Fixture("sleepers.ts", { args: [kind, ...fallbackProgram] });
    const { pids } = await fixture.waitFor("sleeping");
    const sleepers = Array.isArray(pids) ? pids.map(Number) : [];
    started.push(...sleepers);
    expect(sleepers.map(isRunning)).toEqual([true, true, true]);
    fixture.signal("SIGKILL");
    await fixture.exited();
    await waitUntil(() => !sleepers.some(isRunning));
  });
});

/** `NUMBER WHAT` of what `ls -l /proc/self/fd` printed. */
function descriptorsOf(listing: string): string[] {
  const entries = Array.from(listing.matchAll(/ (\d+) -> (\S+)/g), ([, number, target = ""]) => {
    if (/^\/proc\/\d+\/fd$/.test(target)) return `${number} ls`;
    if (target.startsWith("socket:")) return `${number} socket`;
    return `${number} ${target.endsWith("/out") ? "file" : target}`;
  });
  return entries.sort();
}

function memoryStep() {
  for (const { step } of steps) if (step.kind === "memory") return { step };
  throw new Error("this machine can't execute memory files");
}
