/** Disks that are full or read-only: under the log, under the lock file, under the socket. */
import { expect, setDefaultTimeout } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Running } from "../helpers/running.ts";
import { cmdline, common, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { mountObstacle, testUnless, withMounts } from "./support.ts";

setDefaultTimeout(testTimeoutMs);

const sleeper = `[worker]\ntype = "program"\n${cmdline("sleep", "1000")}`;
const sleepers = `${supervisor()}\n${sleeper}`;
const files = { "disk/here": "" };

/** Where the test sees what is mounted in the supervisor's own namespace. */
function insideOf(running: Running, path: string): string {
  return join(`/proc/${running.pid}/root${running.folder}`, path);
}

/** As much as fits. */
function fill(path: string): void {
  for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      while (true) writeFileSync(path, "\n".repeat(size), { flag: "a" });
    } catch (error) {
      // Only Errors are thrown by node:fs.
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}

function linesOf(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("{"));
}

testUnless(
  mountObstacle,
  "a full disk under the log: everything goes on, and what was to be said is said when there is room again",
  async () => {
    const mounts = withMounts(
      "mount -t tmpfs -o size=256k none @FOLDER@/disk",
      "head -c 65536 /dev/zero > @FOLDER@/disk/spare",
      "exec 2>> @FOLDER@/disk/log",
    );
    await using running = new Running(sleepers, { wrapper: mounts, files });
    const log = () => insideOf(running, "disk/log");
    const countOf = (message: string) =>
      linesOf(log()).filter((line) => JSON.parse(line).msg === message).length;
    await waitUntil(() => existsAnd(() => countOf("worker set running") === 1));
    const url = String(
      linesOf(log())
        .map((line) => JSON.parse(line))
        .find(({ url }) => url)?.url,
    );
    fill(log());
    const said = linesOf(log()).length;
    let previous = 0;
    for (let round = 0; round < 3; round += 1) {
      const pid = await pidOfWorker(url, previous);
      process.kill(pid, "SIGKILL");
      previous = pid;
    }
    await pidOfWorker(url, previous);
    expect(linesOf(log()).length).toBe(said);
    rmSync(insideOf(running, "disk/spare"));
    await waitUntil(() => countOf("worker died") === 3 && countOf("worker set running") === 4);
    for (const line of linesOf(log())) JSON.parse(line);
    expect(await running.stop()).toBe(0);
  },
);

function existsAnd(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

/** Of the ready worker, once it is another one than before. */
async function pidOfWorker(url: string, previous: number): Promise<number> {
  let found = previous;
  await waitUntil(async () => {
    const answer = await fetch(url, { headers: { accept: "application/json" }, keepalive: false });
    const { sets } = (await answer.json()) as { sets: { workers: { phase: string; pid?: number }[] }[] };
    const [worker] = sets[0]?.workers ?? [];
    found = worker?.phase === "ready" ? (worker.pid ?? previous) : previous;
    return found !== previous;
  });
  return found;
}

/** A disk of four kilobytes, full, in the place of the default socket. */
const fullDisk = (options: string, filling: string) =>
  withMounts(
    `mount -t tmpfs -o ${options} none @FOLDER@/disk`,
    filling,
    "export XDG_RUNTIME_DIR=@FOLDER@/disk",
  );
const noBlocks = fullDisk("size=4k", "head -c 4096 /dev/zero > @FOLDER@/disk/filler");
const noInodes = fullDisk("size=64k,nr_inodes=2", "touch @FOLDER@/disk/filler");

testUnless(
  mountObstacle,
  "a full disk under the lock file: it locks all the same, only the pid is not in it, and a warning says so",
  async () => {
    await using running = new Running(sleepers, { wrapper: noBlocks, files });
    await running.waitFor("worker set running");
    const lock = `${running.folder}/disk/kleinhirn-it.sock.lock`;
    expect(running.find("lock file could not be given our pid")).toMatchObject({ lock, reason: "ENOSPC" });
    await using second = new Running(sleepers, {
      wrapper: ["nsenter", "--mount", "--target", String(running.pid), "--"],
      env: { XDG_RUNTIME_DIR: `${running.folder}/disk` },
    });
    expect(await second.exited()).toBe(69);
    expect(String(second.find("can't start")?.reason)).toContain(`another process holds ${lock}`);
    expect(await running.stop()).toBe(0);
  },
);

testUnless(
  mountObstacle,
  "no room for a file in the socket's default place: the next one is taken",
  async () => {
    const name = `it-${crypto.randomUUID()}`;
    const toml = `[supervisor]\nname = "${name}"\n${common}\n${sleeper}`;
    try {
      await using running = new Running(toml, { wrapper: noInodes, files });
      await running.waitFor("worker set running");
      expect(running.find("supervisor started")?.socket).toBe(`/tmp/kleinhirn-${name}.sock`);
      expect(await running.stop()).toBe(0);
    } finally {
      rmSync(`/tmp/kleinhirn-${name}.sock.lock`, { force: true });
    }
  },
);

testUnless(
  mountObstacle,
  "no room for a file in a configured place is refused at start: exit 69",
  async () => {
    const toml = `${supervisor('socket = "disk/own.sock"')}\n${sleeper}`;
    await using running = new Running(toml, { wrapper: noInodes, files });
    expect(await running.exited()).toBe(69);
    expect(String(running.find("can't start")?.reason)).toMatch(
      /can't open the socket .*own\.sock: .*ENOSPC/,
    );
  },
);

testUnless(
  mountObstacle,
  "every disk read-only, /tmp as well: the socket is abstract, and workers ack there",
  async () => {
    const name = `it-${crypto.randomUUID()}`;
    const ack = `printf '{"action":"ack","id":"%s"}\\n' "$KLEINHIRN_WORKER_ID" >&"$KLEINHIRN_STATUS_FD"; exec sleep 1000`;
    const toml = `[supervisor]\nname = "${name}"\n${common}
[worker]
type = "program"
ack = "message"
${cmdline("sh", "-c", ack)}`;
    const readOnly = ["/", "/tmp", "@FOLDER@"].map(
      (path) => `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`,
    );
    await using running = new Running(toml, { wrapper: withMounts(...readOnly) });
    await running.waitFor("worker set running");
    expect(running.find("supervisor started")?.socket).toBe(`@kleinhirn-${name}`);
    process.kill(Number(running.find("worker ready")?.pid), "SIGKILL");
    await running.waitFor("worker set running", 2);
    expect(await running.stop()).toBe(0);
  },
);
