/** Where the supervisor's socket is, and who is kept out by it (specification section 5). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Peer } from "../helpers/peer.ts";
import { environmentOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { cmdline, common, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const sleeper = `
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
`;

/** No two tests, and no other supervisor of this machine, may meet in /tmp or in the abstract namespace. */
function uniqueName(): string {
  return `it-${crypto.randomUUID()}`;
}

function named(name: string, settings = ""): string {
  return `[supervisor]\nname = "${name}"\n${settings}\n${common}${sleeper}`;
}

async function addressOf(running: Running): Promise<string> {
  const [line] = await running.waitFor("supervisor started");
  return String(line?.socket);
}

/** What a supervisor that can't start says, and with which status it ends. */
async function refused(running: Running): Promise<{ status: number; reason: string }> {
  const status = await running.exited();
  const critical = running.find("can't start");
  expect(critical).toMatchObject({ level: "critical", exit_status: status });
  expect(running.find("worker launched")).toBeUndefined();
  return { status, reason: String(critical?.reason) };
}

test("a second supervisor of the same name exits 69 and names the holder's pid; the first is not disturbed", async () => {
  await using first = new Running(`${supervisor()}${sleeper}`);
  await first.waitFor("worker set running");
  await using second = new Running(`${supervisor()}${sleeper}`, { env: { XDG_RUNTIME_DIR: first.folder } });
  const { status, reason } = await refused(second);
  expect(status).toBe(69);
  expect(reason).toContain(`process ${first.pid} holds ${first.folder}/kleinhirn-it.sock`);
  expect((await first.health("/healthz")).status).toBe(200);
  using peer = new Peer(await addressOf(first));
  peer.send("hello\n");
  expect(await peer.closed()).toContain("error");
});

test("so does one of the same abstract name", async () => {
  const socket = `socket = "@${uniqueName()}"`;
  await using first = new Running(`${supervisor(socket)}${sleeper}`);
  await first.waitFor("worker set running");
  await using second = new Running(`${supervisor(socket)}${sleeper}`);
  const { status, reason } = await refused(second);
  expect(status).toBe(69);
  expect(reason).toContain(`process ${first.pid} holds @it-`);
  expect((await first.health("/healthz")).status).toBe(200);
});

test("the name is free again when its holder has stopped, or was killed: what is left over is replaced", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await using first = new Running(`${supervisor()}${sleeper}`);
    const address = await addressOf(first);
    await first.waitFor("worker set running");
    first.signal(signal);
    await first.process.exited;
    expect(existsSync(address)).toBe(signal === "SIGKILL");
    await using second = new Running(`${supervisor()}${sleeper}`, { env: { XDG_RUNTIME_DIR: first.folder } });
    expect(await addressOf(second)).toBe(address);
    await second.waitFor("worker set running");
    using peer = new Peer(address);
    peer.send("hello\n");
    expect(await peer.closed()).toContain("error");
    // The first one's folder goes before the second one's processes do.
    expect(await second.stop()).toBe(0);
    await waitUntil(() => first.processes().length === 0);
  }
});

test("a file in the socket's place is somebody's: exit 69, and it is left alone", async () => {
  await using running = new Running(`${supervisor('socket = "taken"')}${sleeper}`, {
    files: { taken: "precious" },
  });
  const { status, reason } = await refused(running);
  expect([status, reason]).toEqual([69, `${running.folder}/taken is there and is no socket; move it away`]);
  expect(lstatSync(join(running.folder, "taken")).size).toBe(8);
});

test("a folder that is not there is an error of the configuration", async () => {
  await using running = new Running(`${supervisor('socket = "no/such/place.sock"')}${sleeper}`);
  expect(await running.exited()).toBe(78);
  expect(running.output).toContain("kleinhirn.toml:3: supervisor.socket: expected");
  expect(running.output).toContain("no/such");
});

test("a socket path that is too long is an error of the configuration: exit 78, with the limit", async () => {
  await using running = new Running(`${supervisor(`socket = "${"x".repeat(120)}"`)}${sleeper}`);
  expect(await running.exited()).toBe(78);
  expect(running.output).toMatch(
    /kleinhirn\.toml:3: supervisor\.socket: expected a socket path of at most 107 bytes/,
  );
});

test("a relative path is relative to the configuration file", async () => {
  await using running = new Running(`${supervisor('socket = "run/own.sock"')}${sleeper}`, {
    files: { "run/there": "" },
  });
  expect(await addressOf(running)).toBe(join(running.folder, "run/own.sock"));
  const [worker] = await running.waitFor("worker ready");
  expect(environmentOf(Number(worker?.pid)).KLEINHIRN_SOCKET).toBe(join(running.folder, "run/own.sock"));
});

test("without a usable XDG_RUNTIME_DIR it is in /tmp", async () => {
  const name = uniqueName();
  const path = `/tmp/kleinhirn-${name}.sock`;
  try {
    await using running = new Running(named(name), { env: { XDG_RUNTIME_DIR: `/${name}/gone` } });
    expect(await addressOf(running)).toBe(path);
    expect(await running.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  } finally {
    rmSync(`${path}.lock`, { force: true });
  }
});

/** Bind mounts make folders read-only even for root, and only for this process and its children. */
function readOnly(): readonly string[] {
  const folders = new Set(["/tmp", tmpdir()]);
  const mounts = [...folders].map(
    (folder) => `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder}`,
  );
  return ["unshare", "-m", "sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"];
}

const mayMount = Bun.spawnSync([...readOnly(), "true"]).exitCode === 0;
if (!mayMount) console.warn("Not permitted to mount: read-only file systems are not tested here.");

test.skipIf(!mayMount)(
  "on a read-only file system it is in the abstract namespace, and workers find it there",
  async () => {
    const name = uniqueName();
    await using running = new Running(named(name), { wrapper: readOnly() });
    expect(await addressOf(running)).toBe(`@kleinhirn-${name}`);
    await running.waitFor("worker set running");
    using peer = new Peer(`@kleinhirn-${name}`);
    peer.send("hello\n");
    expect(await peer.closed()).toContain("error");
  },
);

test.skipIf(!mayMount)("a configured place on a read-only file system: exit 69 that says so", async () => {
  await using running = new Running(`${supervisor('socket = "own.sock"')}${sleeper}`, {
    wrapper: readOnly(),
  });
  const { status, reason } = await refused(running);
  expect(status).toBe(69);
  expect(reason).toContain("EROFS");
});

test("a lock file that was left over locks nobody out", async () => {
  await using running = new Running(`${supervisor()}${sleeper}`, {
    files: { "kleinhirn-it.sock.lock": "1\n" },
  });
  await running.waitFor("worker set running");
});
