import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execStepBinaries, execStepSource } from "../../src/system/exec-step.binary.ts";
import { ownProgram, prepareExecStep } from "../../src/system/exec-step.ts";
import { composeLaunch, formatTask, parseTask, revealVariables } from "../../src/system/exec-step-command.ts";
import { createMemoryFile } from "../../src/system/memory-file.ts";
import { OperatingSystemError } from "../../src/system/operating-system-error.ts";
import { fallbackProgram, prepareFallback } from "./support/steps.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

setDefaultTimeout(60_000);

const native = join(import.meta.dir, "../../native/exec-step");
const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** The carried binary as a file that can be executed. */
function unpack(architecture: string): string {
  const file = folder.file(architecture);
  writeFileSync(file, Buffer.from(execStepBinaries[architecture]?.base64 ?? "", "base64"));
  chmodSync(file, 0o755);
  return file;
}

function rebuild(architecture: string): string {
  const file = folder.file(`rebuilt-${architecture}`);
  const built = Bun.spawnSync([join(native, "build"), architecture, file]);
  expect(built.stderr.toString()).toBe("");
  return file;
}

function hasCompilerFor(architecture: string): boolean {
  const cross = Bun.which(`${architecture}-linux-gnu-gcc`) !== null;
  const own = { x64: "x86_64", arm64: "aarch64" }[process.arch as string] === architecture;
  return cross || (own && Bun.which("gcc") !== null);
}

/** Ways to execute the step directly, by a name for each. */
const programs: { name: string; command: readonly string[] }[] = [];
const names = { x64: "x86_64", arm64: "aarch64" } as const;
for (const [architecture, name] of Object.entries(names)) {
  const isOurs = process.arch === architecture;
  const emulator = isOurs ? [] : [Bun.which(`qemu-${name}`)].filter((path) => path !== null);
  if (!isOurs && emulator.length === 0) continue;
  programs.push({ name, command: [...emulator, unpack(architecture)] });
  if (hasCompilerFor(name)) programs.push({ name: `rebuilt ${name}`, command: [...emulator, rebuild(name)] });
}

function run(command: readonly string[], words: readonly string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync({ cmd: [...command, ...words], env });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const parent = String(process.pid);

test("the binaries were built from the source as it is here", () => {
  const source = readFileSync(join(native, "exec-step.c"));
  expect(createHash("sha256").update(source).digest("hex")).toBe(execStepSource);
});

test.each(Object.keys(names))("the binary for %s is static, small, and has no executable stack", (name) => {
  const elf = Buffer.from(execStepBinaries[name]?.base64 ?? "", "base64");
  expect(elf.toString("latin1", 0, 4)).toBe("\x7fELF");
  expect(elf.length).toBeLessThan(8192);
  const executable = 2; // ET_EXEC: at a fixed address, no loader
  expect(elf.readUInt16LE(16)).toBe(executable);
  const headers = Array.from(
    { length: elf.readUInt16LE(56) },
    (_, index) => Number(elf.readBigUInt64LE(32)) + 56 * index,
  );
  const [load, stack] = headers.map((at) => ({
    type: elf.readUInt32LE(at),
    flags: elf.readUInt32LE(at + 4),
  }));
  expect(load).toEqual({ type: 1, flags: 5 }); // PT_LOAD, readable and executable
  expect(stack).toEqual({ type: 0x6474e551, flags: 6 }); // PT_GNU_STACK, readable and writable
});

describe.each(programs)("exec-step ($name)", ({ command }) => {
  test("checks itself without a program", () => {
    expect(run(command, [parent, "-", "-"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("starts nothing, without a word, when its parent is another one", () => {
    const words = ["1", "-", "-", "/bin/echo", "echo", "started"];
    expect(run(command, words)).toEqual({ exitCode: 125, stdout: "", stderr: "" });
  });

  test("hands over the arguments and the environment as they are", () => {
    const words = [parent, "-", "-", "/bin/sh", "zero", "-c", 'echo "$0|$1|$2"; echo "$ONE"', "a", "", "b c"];
    expect(run(command, words, { ONE: "1\n2" }).stdout).toBe("a||b c\n1\n2\n");
  });

  test("sets the soft limit of open files, and no higher than the hard one", () => {
    const script = ["/bin/sh", "sh", "-c", "ulimit -Sn; ulimit -Hn"];
    const hard = run(["sh", "-c", "ulimit -Hn"], []).stdout;
    expect(run(command, [parent, "33", "-", ...script]).stdout).toBe(`33\n${hard}`);
    expect(run(command, [parent, "999999999", "-", ...script]).stdout).toBe(`${hard}${hard}`);
  });

  test("writes its own pid over the placeholder, with nothing left of it", () => {
    const words = [parent, "-", "-", "/bin/sh", "sh", "-c", 'echo "$LISTEN_PID $$ $LISTEN_PIDS"'];
    const { stdout } = run(command, words, { LISTEN_PIDS: "0000000000", LISTEN_PID: "0000000000" });
    expect(stdout).toMatch(/^([1-9]\d*) \1 0000000000\n$/);
    const short = run(command, words, { LISTEN_PID: "" });
    expect(short.exitCode).toBe(126);
    expect(short.stderr).toContain("no room for the pid");
  });

  test("says why it can't execute, and exits as a shell does", () => {
    const attempt = (path: string) => run(command, [parent, "-", "-", path, path]);
    expect(attempt("/no/such/file")).toMatchObject({
      exitCode: 127,
      stderr:
        "kleinhirn: cannot execute /no/such/file: ENOENT, no such file, or its interpreter is missing\n",
    });
    expect(attempt("/etc/passwd/file")).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining("ENOTDIR"),
    });
    expect(attempt("/etc/passwd")).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining("EACCES"),
    });
    const script = folder.file("no-interpreter-line");
    writeFileSync(script, "exit 0\n", { mode: 0o755 });
    expect(attempt(script)).toMatchObject({ exitCode: 126, stderr: expect.stringContaining("ENOEXEC") });
    const long = `/${"x".repeat(3000)}`;
    expect(attempt(long)).toMatchObject({ exitCode: 126, stderr: expect.stringContaining("ENAMETOOLONG") });
  });

  test("refuses a call without enough words", () => {
    expect(run(command, [parent, "-"])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining("usage"),
    });
    expect(run(command, [parent, "-", "-", "/bin/true"]).exitCode).toBe(126);
  });
});

describe("the choice of the step", () => {
  const program = fallbackProgram;

  test("is the memory file here, at no inheritable descriptor", () => {
    expect(prepareExecStep(program)).toMatchObject({ kind: "memory" });
  });

  test("is our own program where memory files are denied, and says why", () => {
    expect(prepareFallback()).toEqual({
      kind: "own-program",
      command: [...program, "__exec-step"],
      reason: "memfd_create: EPERM",
    });
  });

  test("is our own program where the binary is unknown or can't be executed", () => {
    expect(prepareExecStep(program, { architecture: "vax", createMemoryFile })).toMatchObject({
      kind: "own-program",
      reason: "no binary for vax",
    });
    const parts = {
      architecture: process.arch,
      createMemoryFile: (name: string) => createMemoryFile(name, Buffer.from("not a program")),
    };
    expect(prepareExecStep(program, parts)).toMatchObject({
      kind: "own-program",
      reason: expect.stringContaining("ENOEXEC"),
    });
  });

  test("is an error where neither works", () => {
    const prepare = () => prepareExecStep(["/bin/false"], { architecture: "vax", createMemoryFile });
    expect(prepare).toThrow(OperatingSystemError);
    expect(prepare).toThrow("/bin/false: its self-check ended with 1");
  });

  test("can start our own program again", () => {
    expect(ownProgram()).toEqual([process.execPath, Bun.main]);
  });
});

describe("a task", () => {
  const program = { path: "./p", argv: ["p", "", "-"] };
  test.each([
    { parentPid: 1, openFiles: undefined, keep: [], program: undefined },
    {
      parentPid: 4711,
      openFiles: 1024,
      keep: [
        { first: 3, last: 3 },
        { first: 10, last: 12 },
      ],
      program,
    },
  ])("comes through the words of a command line: %p", (task) => {
    expect(parseTask(formatTask(task))).toEqual(task);
  });

  test.each([[[]], [["x", "-", "-"]], [["1", "x", "-"]], [["1", "-", "3"]], [["1", "-", "-", "/bin/true"]]])(
    "is not read from %p",
    (words) => {
      expect(parseTask(words)).toBeUndefined();
    },
  );

  test("hides the variables of the program from our own", () => {
    const step = prepareFallback();
    const task = { parentPid: 1, openFiles: undefined, keep: [], program };
    const environment = { BUN_OPTIONS: "--smol", HOME: "/home", "odd name": "=" };
    const launch = composeLaunch(step, task, "/folder", environment);
    expect(launch.cwd).toBe("/");
    expect(Object.keys(launch.environment)).not.toContain("BUN_OPTIONS");
    expect(Object.fromEntries(revealVariables(launch.environment))).toEqual(environment);
  });

  test("called by hand is refused by our own program", () => {
    const { exitCode, stderr } = run(fallbackProgram, ["__exec-step", "/", "please"]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain("own use");
  });

  test("starts nothing by our own program either when its parent is another one", () => {
    const words = ["__exec-step", "/", "1", "-", "-", "/bin/echo", "echo", "started"];
    expect(run(fallbackProgram, words)).toEqual({ exitCode: 125, stdout: "", stderr: "" });
  });
});
