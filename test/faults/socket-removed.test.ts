/** The files of the supervisor's socket and of its lock are removed, or replaced, while it runs. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { Running, repository } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const ack = `${process.execPath} ${join(repository, "kleinhirn.ts")} ack`;

/** Acks over the socket, as a script in any language does. */
function acking(script = `${ack} && exec sleep 1000`): string {
  return `${supervisor()}
[worker]
type = "program"
ack = "message"
${cmdline("sh", "-c", script)}`;
}

const forking = `${supervisor()}
[worker]
type = "ruby"
load = "app.rb"
start_expression = "serve"`;
const app = 'require "kleinhirn_loader"\ndef serve\n  KleinhirnLoader.ack\n  sleep\nend\n';

function socketOf(running: Running): string {
  return join(running.folder, "kleinhirn-it.sock");
}

function killNewest(running: Running, message: string): void {
  process.kill(Number(running.all(message).at(-1)?.pid), "SIGKILL");
}

for (const [name, toml] of [
  ["a program", acking()],
  ["a Ruby worker", forking],
] as const) {
  test(`a socket that was removed is made anew before the next launch: ${name} acks`, async () => {
    await using running = new Running(toml, { files: { "app.rb": app } });
    await running.waitFor("worker set running");
    for (let round = 1; round <= 3; round += 1) {
      unlinkSync(socketOf(running));
      killNewest(running, "worker ready");
      await running.waitFor("worker set running", round + 1);
    }
    const anew = running.all("socket was gone: made anew");
    expect(anew.map(({ level, socket }) => [level, socket])).toEqual(
      Array(3).fill(["warning", socketOf(running)]),
    );
    expect(lstatSync(socketOf(running)).mode & 0o777).toBe(0o600);
    expect(await running.stop()).toBe(0);
    expect(existsSync(socketOf(running))).toBe(false);
  });
}

test("the preloader keeps its connection when the socket is removed; the next generation finds the new one", async () => {
  await using running = new Running(forking, { files: { "app.rb": app } });
  await running.waitFor("worker set running");
  unlinkSync(socketOf(running));
  killNewest(running, "worker ready");
  await running.waitFor("worker set running", 2);
  expect(running.all("preloader ready")).toHaveLength(1);
  unlinkSync(socketOf(running));
  killNewest(running, "preloader launched");
  const [, second] = await running.waitFor("preloader ready", 2);
  expect(second?.generation).toBe(2);
  killNewest(running, "worker ready");
  await running.waitFor("worker set running", 3);
  expect(await running.stop()).toBe(0);
});

test("a socket that is removed while a worker starts is there again before long: a worker that tries again acks", async () => {
  const script = `echo up > up; until ${ack}; do sleep 0.1; done; exec sleep 1000`;
  await using running = new Running(acking(`until [ -e go ]; do sleep 0.05; done; ${script}`));
  await running.waitFor("worker launched");
  unlinkSync(socketOf(running));
  writeFileSync(join(running.folder, "go"), "");
  await running.waitFor("worker set running");
  expect(running.all("socket was gone: made anew")).toHaveLength(1);
  expect(running.all("worker launched")).toHaveLength(1);
  expect(await running.stop()).toBe(0);
});

test("what somebody has put in the socket's place is left alone, while it runs and when it stops", async () => {
  await using running = new Running(acking(`${ack}; exec sleep 1000`));
  await running.waitFor("worker set running");
  unlinkSync(socketOf(running));
  writeFileSync(socketOf(running), "precious");
  for (let launch = 2; launch <= 3; launch += 1) {
    killNewest(running, "worker launched");
    await running.waitFor("worker launched", launch);
  }
  const complaints = running.all("socket is gone: workers that are launched now can't ack");
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toMatchObject({ level: "error", socket: socketOf(running) });
  expect(String(complaints[0]?.reason)).toContain("another file in its place");
  // Out of the way again: the next launch is as good as any.
  unlinkSync(socketOf(running));
  killNewest(running, "worker launched");
  await running.waitFor("worker set running", 2);
  unlinkSync(socketOf(running));
  writeFileSync(socketOf(running), "precious");
  expect(await running.stop()).toBe(0);
  expect(readFileSync(socketOf(running), "utf8")).toBe("precious");
});

test("a lock file that was removed is made anew: a second supervisor is kept out as before", async () => {
  await using first = new Running(acking());
  await first.waitFor("worker set running");
  unlinkSync(`${socketOf(first)}.lock`);
  killNewest(first, "worker ready");
  await first.waitFor("worker set running", 2);
  expect(first.find("lock file was gone: made anew")).toMatchObject({ level: "warning" });
  expect(first.find("socket was gone: made anew")).toBeUndefined();
  await using second = new Running(acking(), { env: { XDG_RUNTIME_DIR: first.folder } });
  expect(await second.exited()).toBe(69);
  expect(String(second.find("can't start")?.reason)).toContain(`process ${first.pid} holds`);
  expect(await first.stop()).toBe(0);
});

test("when another supervisor has taken the place meanwhile, the first says so and leaves it alone", async () => {
  await using first = new Running(acking(`${ack}; exec sleep 1000`));
  await first.waitFor("worker set running");
  for (const file of [socketOf(first), `${socketOf(first)}.lock`]) unlinkSync(file);
  await using second = new Running(acking(), { env: { XDG_RUNTIME_DIR: first.folder } });
  await second.waitFor("worker set running");
  killNewest(first, "worker ready");
  await first.waitFor("worker launched", 2);
  const complaint = first.find("socket is gone: workers that are launched now can't ack");
  expect(String(complaint?.reason)).toContain(`another supervisor (process ${second.pid})`);
  expect(await first.stop()).toBe(0);
  killNewest(second, "worker ready");
  await second.waitFor("worker set running", 2);
  expect(second.find("socket was gone: made anew")).toBeUndefined();
  expect(await second.stop()).toBe(0);
});

test("the socket's folder goes and comes again: launches go on, and acks work again with it", async () => {
  const toml = acking(`${ack}; exec sleep 1000`).replace(
    'name = "it"',
    'name = "it"\nsocket = "run/own.sock"',
  );
  await using running = new Running(toml, { files: { "run/here": "" } });
  await running.waitFor("worker set running");
  rmSync(join(running.folder, "run"), { recursive: true });
  killNewest(running, "worker ready");
  await running.waitFor("worker launched", 2);
  const complaint = running.find("socket is gone: workers that are launched now can't ack");
  expect(String(complaint?.reason)).toContain("ENOENT");
  writeFileSync(join(running.folder, "run"), "");
  killNewest(running, "worker launched");
  await running.waitFor("worker launched", 3);
  rmSync(join(running.folder, "run"));
  Bun.spawnSync(["mkdir", join(running.folder, "run")]);
  killNewest(running, "worker launched");
  await running.waitFor("worker set running", 2);
  expect(await running.stop()).toBe(0);
  await waitUntil(() => !isAlive(Number(running.all("worker launched").at(-1)?.pid)));
});
