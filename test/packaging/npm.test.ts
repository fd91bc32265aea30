/** The npm package: what is in it, and that an empty project which installs it has a working kleinhirn. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import manifest from "../../package.json";
import { listRepositoryFiles } from "../../script/lib/repository-files.ts";
import { isDeep } from "../helpers/deep.ts";
import { commandLine, Running, repository } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const folder = mkdtempSync(join(tmpdir(), "kleinhirn-npm-"));
const project = join(folder, "project");
const installed = join(project, "node_modules/.bin/kleinhirn");
const tarball = join(folder, `kleinhirn-${manifest.version}.tgz`);
/** The first line of the program asks for `bun`, wherever it is and whatever its file is called. */
const env = { PATH: `${folder}${delimiter}${process.env.PATH}` };
const programs = join(repository, "test/fixtures/programs");

function run(cwd: string, ...command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: status ${exitCode}\n${stdout}\n${stderr}`);
  return stdout.toString();
}

beforeAll(() => {
  symlinkSync(process.execPath, join(folder, "bun"));
  run(repository, process.execPath, "pm", "pack", "--destination", folder);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true }\n');
  run(project, process.execPath, "add", tarball);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What belongs to the program, by what is in git. */
function expectedFiles(): readonly string[] {
  const always = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "kleinhirn.ts"];
  const code = listRepositoryFiles().filter((path) => /^(src|ruby\/(exe|lib)|docs)\//.test(path));
  return [...always, ...code].toSorted();
}

test("the package has the program, the gem and the documents, and nothing else", () => {
  const paths = run(folder, "tar", "-tzf", tarball).trim().split("\n");
  expect(paths.map((path) => path.replace(/^package\//, "")).toSorted()).toEqual([...expectedFiles()]);
});

test.skipIf(Bun.which("npm") === null)("npm would publish the same files", () => {
  const [packed] = JSON.parse(run(repository, "npm", "pack", "--dry-run", "--json", "--ignore-scripts")) as [
    { files: { path: string }[] }, // Reason for the cast: npm's own format; another one fails the next line.
  ];
  expect(packed.files.map(({ path }) => path).toSorted()).toEqual([...expectedFiles()]);
});

test("everything that its code imports from outside is among its dependencies", () => {
  const own = Object.keys(manifest.dependencies).toSorted();
  const found = run(project, "ls", "-A", "node_modules").trim().split("\n");
  expect(found.filter((name) => !name.startsWith(".")).toSorted()).toEqual(
    [...new Set([...own.map((name) => name.split("/")[0] ?? name), "kleinhirn"])].toSorted(),
  );
  expect(run(project, installed, "--version")).toContain(manifest.version);
  expect(run(project, installed, "--help")).toContain("USAGE kleinhirn");
});

test("node_modules/.bin/kleinhirn is the process that was started: its sockets and its Ruby workers are there", async () => {
  const toml = `${supervisor()}
    [workers.program]
    type = "program"
    ${cmdline("ruby", "--disable-gems", join(programs, "heir.rb"))}
    [workers.ruby]
    type = "ruby"
    load = "app.rb"
    start_expression = "KleinhirnLoader.ack; sleep"
  `;
  await using s = new Running(toml, {
    env,
    files: {
      "app.rb": 'require "kleinhirn_loader"; puts "gem from #{$LOADED_FEATURES.grep(/worker.rb/)[0]}"',
    },
    wrapper: ["ruby", "--disable-gems", join(programs, "with-sockets.rb"), "3", "1", "@FOLDER@/ports", "own"],
    program: (file) => [installed, "run", "-f", file],
  });
  await s.waitFor("worker set running", 2);
  expect(s.find("supervisor started")?.pid).toBe(s.pid);
  const answer = await fetch(`http://127.0.0.1:${await readLineOf(join(s.folder, "ports"))}/`, {
    keepalive: false,
  });
  expect((await answer.text()).split(" ")[2]).toBe("3");
  expect(s.output).toContain(`gem from ${realpathSync(project)}/node_modules/kleinhirn/ruby/lib/`);
  expect(await s.stop()).toBe(0);
});

// The kind of start that docs/OPERATIONS.md warns of. When Bun changes this, the warning can go.
test.each([["run"], ["x"]])(
  "bun %s kleinhirn is a child, which says that the sockets are not its own",
  async (how) => {
    await using s = new Running(`${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`, {
      env,
      cwd: project,
      wrapper: [
        "ruby",
        "--disable-gems",
        join(programs, "with-sockets.rb"),
        "3",
        "1",
        "@FOLDER@/ports",
        "own",
      ],
      program: (file) => [process.execPath, how, "kleinhirn", "run", "-f", file],
    });
    await s.waitFor("worker set running");
    const pid = Number(s.find("supervisor started")?.pid);
    expect(pid).not.toBe(s.pid);
    expect(commandLine(pid)).toContain("kleinhirn");
    expect(s.find("inherited sockets are another process's: not passed on")).toMatchObject({
      listen_pid: s.pid,
      pid,
    });
    process.kill(pid, "SIGTERM");
    expect(await s.exited()).toBe(0);
  },
);

test.skipIf(!isDeep || Bun.which("npm") === null)("npm installs it as well", () => {
  const other = join(folder, "npm-project");
  mkdirSync(other);
  writeFileSync(join(other, "package.json"), '{ "private": true }\n');
  run(other, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball);
  expect(existsSync(join(other, "node_modules/kleinhirn/kleinhirn.ts"))).toBe(true);
  expect(run(other, join(other, "node_modules/.bin/kleinhirn"), "--version")).toContain(manifest.version);
});
