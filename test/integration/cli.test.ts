/** The command line as a process: what it prints where, and its exit status (specification section 1). */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { argumentsOf, environmentOf, folderOf, isAlive } from "../helpers/processes.ts";
import { isBuilt, kleinhirn, repository } from "../helpers/program.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

/** The commit is that of a build; a source tree's program does not ask git. */
const versionLine = new RegExp(
  `^kleinhirn ${manifest.version.replaceAll(".", "\\.")}${isBuilt ? "( \\([0-9a-f]{10}\\+?\\))?" : ""}\n$`,
);

type Answer = { readonly status: number; readonly stdout: string; readonly stderr: string };

async function call(args: readonly string[], cwd = repository): Promise<Answer> {
  const child = Bun.spawn([...kleinhirn, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, stdout, stderr };
}

describe("--help and --version, on every level", () => {
  test.each(["", "run", "check", "ack", "health"])("kleinhirn %s", async (command) => {
    const words = command === "" ? [] : [command];
    const help = await call([...words, "--help"]);
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain(`USAGE kleinhirn${command === "" ? "" : ` ${command}`}`);
    expect(help.stdout).toContain("EXIT STATUS");
    expect(await call([...words, "-h"])).toEqual(help);
    expect(await call([...words, "--version"])).toEqual({
      status: 0,
      stdout: expect.stringMatching(versionLine),
      stderr: "",
    });
  });
});

test.each([
  ["--frobnicate", 'unknown flag "--frobnicate"'],
  ["--config-fil x", 'unknown flag "--config-fil"; did you mean --config-file?'],
  ["run -f", "-f needs a value"],
  ["run extra", 'stray argument "extra"'],
  ["chek", 'unknown command "chek"; did you mean check?'],
  ["ack now", 'stray argument "now"'],
  ["run -n 2", "-n goes with -- CMD alone"],
  ["run --", "after -- belongs a program"],
  ["-f a -f b", '"-f" is given twice'],
  ["run -f a -- sleep 1", "-f and -- CMD contradict each other"],
  ["check -- sleep 1", 'only "kleinhirn run" takes a program after --'],
  ["health -n 1", '"-n" is no flag of "kleinhirn health"'],
  ["health --url ftp://x", 'not "ftp://x"'],
])("kleinhirn %s: status 64, the argument named", async (line, message) => {
  const { status, stdout, stderr } = await call(line.split(" "));
  expect([status, stdout]).toEqual([64, ""]);
  expect(stderr).toStartWith("kleinhirn: ");
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("`check` says what would run, starts nothing, and refuses what `run` refuses", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kleinhirn-"));
  try {
    const file = join(folder, "kleinhirn.toml");
    writeFileSync(
      file,
      `${supervisor('socket = "own.sock"')}
      [workers.web]
      type = "program"
      count = 3
      ${cmdline("touch", "started")}
      [workers.jobs]
      type = "program"
      ${cmdline("touch", "a b")}
    `,
    );
    const named = await call(["check", "-f", file]);
    expect([named.status, named.stderr]).toEqual([0, ""]);
    for (const part of [
      "it: 4 workers in 2 sets",
      "web: 3 workers",
      "touch started",
      "jobs: 1 worker",
      'touch "a b"',
    ]) {
      expect(named.stdout).toContain(part);
    }
    expect((await call(["check"], folder)).status).toBe(0);
    writeFileSync(file, "[supervisor]\n");
    expect(await call(["check", "-f", file])).toMatchObject({ status: 78, stdout: "" });
    expect(await call(["check", "-f", join(folder, "none.toml")])).toMatchObject({ status: 66, stdout: "" });
    expect(readdirSync(folder)).toEqual(["kleinhirn.toml"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const config = `${supervisor()}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
`;

test.each([
  [[]],
  [["run"]],
  [["-f", "kleinhirn.toml"]],
  [["--config-file=kleinhirn.toml"]],
  [["run", "--config-file", "./kleinhirn.toml"]],
])("kleinhirn %j supervises the file", async (args) => {
  await using running = new Running(config, { args });
  await running.waitFor("worker set running");
  expect(await running.stop()).toBe(0);
});

test("`run -n COUNT --name NAME -- CMD` supervises a program without a file, in the current folder", async () => {
  const args = ["run", "-n", "2", "--name", "shop", "--", "sleep", "1000"];
  await using running = new Running("this is no configuration", { args });
  await waitUntil(() => running.output.includes('msg="worker set running"'));
  const workers = [...running.output.matchAll(/msg="worker ready" .* pid=(\d+)/g)].map(([, pid]) =>
    Number(pid),
  );
  expect(workers).toHaveLength(2);
  await waitUntil(() => workers.every((pid) => argumentsOf(pid).join(" ") === "sleep 1000"));
  expect(workers.map(folderOf)).toEqual([running.folder, running.folder]);
  expect(running.output).toContain("service=shop set=shop slot=1");
  expect(await running.stop()).toBe(0);
});

test("what belongs to the program after -- is never taken for kleinhirn's own", async () => {
  const args = ["run", "--", "sh", "-c", 'exec sleep 1000 "$@"', "--help", "0", "0"];
  await using running = new Running("", { args });
  await waitUntil(() => running.output.includes('msg="worker set running"'));
  const pid = Number(/msg="worker ready" .* pid=(\d+)/.exec(running.output)?.[1]);
  await waitUntil(() => argumentsOf(pid)[0] === "sleep");
  expect(argumentsOf(pid)).toEqual(["sleep", "1000", "0", "0"]);
  expect(environmentOf(pid)).toMatchObject({ KLEINHIRN_NAME: "sh", KLEINHIRN_SET: "sh" });
  expect(folderOf(pid)).toBe(running.folder);
  expect(existsSync(join(running.folder, "kleinhirn-sh.sock"))).toBe(true);
});

test("a mistake of ours ends everything: exit 70, its stack in the log, and no worker outlives it", async () => {
  const program = join(import.meta.dir, "../fixtures/programs/mistaken-supervisor.ts");
  await using running = new Running(
    `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`,
    { program: (file) => [process.execPath, program, file] },
  );
  await running.waitFor("worker set running");
  const worker = Number(running.find("worker ready")?.pid);
  process.kill(running.pid, "SIGUSR1");
  expect(await running.process.exited).toBe(70);
  const mistake = (await running.waitFor("internal error")).at(-1);
  expect(mistake).toMatchObject({ level: "critical", exit_status: 70 });
  expect(String(mistake?.error)).toMatch(/^Error: a mistake of ours\n\s+at .*mistaken-supervisor\.ts/);
  await waitUntil(() => !isAlive(worker));
});
