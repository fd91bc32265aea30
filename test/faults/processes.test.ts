/** No process to be had: fork(2) fails with EAGAIN or ENOMEM, at the supervisor or at a preloader, for a while. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { type LogLine, Running } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { PidsGroup, pidsObstacle, pidsRoot } from "./cgroup.ts";
import { after, asLibrary, Fixture, noLateThreads, testUnless } from "./support.ts";

setDefaultTimeout(testTimeoutMs);

const failingFork = new Fixture("failing-vfork", asLibrary);
const forkObstacle = process.arch === "x64" ? failingFork.obstacle : `not written for ${process.arch}`;

/** One death faults the set, so that whatever is taken for one shows. */
const restart = 'restart = { intensity = 1, backoff_max = "200ms" }';
const sleepers = `${supervisor()}\n[worker]\ntype = "program"\n${cmdline("sleep", "1000")}\n${restart}`;
const forkers = `${supervisor()}
[worker]
type = "ruby"
load = "app.rb"
start_expression = "serve"
${restart}`;
const app = 'require "kleinhirn_loader"\ndef serve\n  KleinhirnLoader.ack\n  sleep\nend\n';

/** Forks fail for as long as the file is there. */
function failingForks(toml: string, files: Readonly<Record<string, string>> = {}): Running {
  // Relative: the supervisor runs in the test's folder, whose name is not known before.
  const env = { LD_PRELOAD: failingFork.path, KLEINHIRN_TEST_NO_FORK: "no-fork" };
  return new Running(toml, { env, files });
}

async function failWith(running: Running, errno: number, cause: () => void, match: string): Promise<void> {
  writeFileSync(join(running.folder, "no-fork"), String(errno));
  cause();
  const before = running.all(match).length;
  const putOff = (await running.waitFor(match, before + 6)).slice(before);
  expect(putOff.map(({ level }) => level)).toEqual(["error", ...Array(putOff.length - 1).fill("debug")]);
  rmSync(join(running.folder, "no-fork"));
}

async function deathsOf(running: Running): Promise<number> {
  const health = await running.health("/healthz", { headers: { accept: "application/json" } });
  const { sets } = (await health.json()) as { sets: { deaths: number }[] };
  return sets[0]?.deaths ?? -1;
}

function kill(line: LogLine | undefined): void {
  process.kill(Number(line?.pid), "SIGKILL");
}

for (const name of ["EAGAIN", "ENOMEM"] as const) {
  testUnless(forkObstacle, `${name} at a worker's launch is waited out, and is no death`, async () => {
    await using running = failingForks(sleepers);
    await running.waitFor("worker set running");
    const cause = () => kill(running.find("worker ready"));
    await failWith(running, constants.errno[name], cause, "worker launch put off");
    expect(running.find("worker launch put off")).toMatchObject({ reason: name, set: "it", slot: 0 });
    await running.waitFor("worker set running", 2);
    expect(await deathsOf(running)).toBe(1);
    expect(await running.stop()).toBe(0);
  });

  testUnless(
    forkObstacle,
    `${name} at a preloader's launch is waited out, its worker serves on`,
    async () => {
      await using running = failingForks(forkers, { "app.rb": app });
      await running.waitFor("worker set running");
      const worker = Number(running.find("worker ready")?.pid);
      const cause = () => kill(running.find("preloader launched"));
      await failWith(running, constants.errno[name], cause, "preloader launch put off");
      const [ready] = (await running.waitFor("preloader ready", 2)).slice(1);
      expect(Number(ready?.generation)).toBeGreaterThan(6);
      expect(isAlive(worker)).toBe(true);
      kill(running.find("worker ready"));
      await running.waitFor("worker set running", 2);
      expect(await running.stop()).toBe(0);
    },
  );
}

testUnless(
  forkObstacle,
  "a health answer says what launches wait for; a stop does not wait for it",
  async () => {
    await using running = failingForks(sleepers);
    await running.waitFor("worker set running");
    writeFileSync(join(running.folder, "no-fork"), String(constants.errno.EAGAIN));
    kill(running.find("worker ready"));
    await running.waitFor("worker launch put off", 3);
    const answer = await running.health("/readyz");
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("underprovisioned, 0 of 1 ready");
    expect(await (await running.health("/readyz")).text()).toContain("launches are put off: EAGAIN");
    expect((await running.health("/livez")).status).toBe(200);
    expect(await running.stop()).toBe(0);
  },
);

testUnless(
  forkObstacle,
  "no process for the very first look at the machine is refused at start: exit 71",
  async () => {
    await using running = new Running(sleepers, {
      env: { LD_PRELOAD: failingFork.path, KLEINHIRN_TEST_NO_FORK: "no-fork" },
      files: { "no-fork": String(constants.errno.ENOMEM) },
    });
    expect(await running.exited()).toBe(71);
    expect(String(running.find("can't start")?.reason)).toContain("ENOMEM, not enough memory");
  },
);

testUnless(
  pidsObstacle,
  "a cgroup without a process left: programs and forks are waited for, nothing is faulted, and all is well afterwards",
  async () => {
    await using group = new PidsGroup(pidsRoot ?? "");
    const toml = `${supervisor()}
[workers.programs]
type = "program"
${cmdline("sleep", "1000")}
${restart}
[workers.forks]
type = "ruby"
load = "app.rb"
start_expression = "serve"
launch_timeout = "4s"
${restart}`;
    const options = { wrapper: after(group.enter), env: noLateThreads, files: { "app.rb": app } };
    await using running = new Running(toml, options);
    await running.waitFor("worker set running", 2);
    group.limit(1);
    for (const line of running.all("worker ready")) kill(line);
    for (const set of ["programs", "forks"]) {
      const isPutOff = (line: LogLine) => line.msg === "worker launch put off" && line.set === set;
      const putOff = await running.waitFor(isPutOff, 2);
      expect(putOff[0]).toMatchObject({ level: "error", reason: "EAGAIN" });
    }
    expect((await running.health("/livez")).status).toBe(200);
    group.limit("max");
    await running.waitFor("worker set running", 4);
    expect(running.find("worker set faulted")).toBeUndefined();
    expect(running.find("preloader died")).toBeUndefined();
    expect(await running.stop()).toBe(0);
  },
);

testUnless(
  pidsObstacle,
  "with no thread to be had for Bun itself there is no start, and nothing is left of it",
  async () => {
    await using group = new PidsGroup(pidsRoot ?? "");
    group.limit(3);
    await using running = new Running(sleepers, { wrapper: after(group.enter) });
    const code = await running.exited();
    expect(code).not.toBe(0);
    await waitUntil(() => running.processes().length === 0);
  },
);

test("the variables that keep Bun from starting threads late do so, and go no further", async () => {
  await using running = new Running(sleepers, { env: noLateThreads });
  await running.waitFor("worker set running");
  const threads = () =>
    Bun.spawnSync(["ls", `/proc/${running.pid}/task`])
      .stdout.toString()
      .split("\n").length - 1;
  const before = threads();
  for (let round = 0; round < 50; round += 1) await (await running.health("/healthz")).text();
  kill(running.find("worker ready"));
  await running.waitFor("worker set running", 2);
  expect(threads()).toBe(before);
  const worker = Number(running.all("worker ready").at(-1)?.pid);
  const environment = Bun.spawnSync(["cat", `/proc/${worker}/environ`]).stdout.toString();
  expect(environment).toContain("KLEINHIRN_WORKER_ID=");
  expect(environment).not.toContain("BUN_JSC_");
  expect(await running.stop()).toBe(0);
});
