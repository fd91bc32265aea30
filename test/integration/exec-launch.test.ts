/** What a `program` worker finds when it starts (specification sections 2, 4 and 5). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import {
  argumentsOf,
  descriptorsOf,
  environmentOf,
  folderOf,
  openFileLimitsOf,
  signalMasksOf,
} from "../helpers/processes.ts";
import { type LogLine, Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

/** The pids in the order of the slots. */
function pidsOf(lines: readonly LogLine[]): number[] {
  return lines.toSorted((one, other) => Number(one.slot) - Number(other.slot)).map(({ pid }) => Number(pid));
}

/** They are what they were launched for once they have executed `sleep`: "ready" may come a moment before that. */
async function workersOf(running: Running, count: number): Promise<number[]> {
  const pids = pidsOf(await running.waitFor("worker ready", count));
  await waitUntil(() => pids.every((pid) => argumentsOf(pid)[0] === "sleep"));
  return pids;
}

async function onlyWorker(running: Running): Promise<number> {
  const [pid = 0] = await workersOf(running, 1);
  return pid;
}

test("count workers, each leading a session and a group of its own, with its own id and slot", async () => {
  await using running = new Running(`${supervisor('version = "v7"')}
    [worker]
    type = "program"
    count = 3
    ${cmdline("sleep", "1000")}
  `);
  const pids = await workersOf(running, 3);
  expect(new Set(pids).size).toBe(3);
  for (const [slot, pid] of pids.entries()) {
    expect(readProcessStat(pid)).toMatchObject({ parent: running.pid, group: pid, session: pid });
    const line = running.find((one) => one.msg === "worker ready" && one.pid === pid);
    expect(environmentOf(pid)).toMatchObject({
      KLEINHIRN_WORKER_ID: String(line?.worker),
      KLEINHIRN_WORKER_SLOT: String(slot),
      KLEINHIRN_SET: "it",
      KLEINHIRN_NAME: "it",
      KLEINHIRN_VERSION: "v7",
      KLEINHIRN_SOCKET: join(running.folder, "kleinhirn-it.sock"),
    });
    expect(environmentOf(pid)).not.toHaveProperty("KLEINHIRN_STATUS_FD");
  }
  const [isRunning] = await running.waitFor("worker set running");
  expect(isRunning).toMatchObject({ set: "it", ready: 3, count: 3 });
});

test("without supervisor.version, KLEINHIRN_VERSION is a random UUID: one for all workers, another elsewhere", async () => {
  const twoSets = `${supervisor()}
    [workers.web]
    type = "program"
    count = 2
    ${cmdline("sleep", "1000")}
    [workers.jobs]
    type = "program"
    ${cmdline("sleep", "1000")}
  `;
  await using one = new Running(twoSets);
  await using other = new Running(twoSets);
  const versions: unknown[] = [];
  for (const running of [one, other]) {
    const given = (await workersOf(running, 3)).map((pid) => environmentOf(pid).KLEINHIRN_VERSION);
    const version = running.find("supervisor started")?.version;
    expect(given).toEqual(Array.from({ length: 3 }, () => String(version)));
    // Of version 4, that is drawn at random, and of the variant of RFC 9562.
    expect(version).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    versions.push(version);
  }
  expect(versions[0]).not.toBe(versions[1]);
});

test("several sets run side by side, each with its own command, folder and variables", async () => {
  await using running = new Running(
    `${supervisor()}
    [workers.web]
    type = "program"
    count = 2
    ${cmdline("sleep", "1001")}
    env = { SHARED = "web", "odd name" = "a=b\\nc" }
    [workers.jobs]
    type = "program"
    ${cmdline("sleep", "1002")}
    cwd = "sub"
  `,
    { env: { SHARED: "own", ONLY_OWN: "x" }, files: { "sub/there": "" } },
  );
  await workersOf(running, 3);
  const web = running.all((line) => line.msg === "worker ready" && line.set === "web");
  const [first = 0, second = 0] = pidsOf(web);
  const jobs = Number(running.find((line) => line.msg === "worker ready" && line.set === "jobs")?.pid);
  for (const pid of [first, second]) {
    expect(argumentsOf(pid)).toEqual(["sleep", "1001"]);
    expect(environmentOf(pid)).toMatchObject({
      SHARED: "web",
      "odd name": "a=b\nc",
      ONLY_OWN: "x",
      KLEINHIRN_SET: "web",
    });
    expect(folderOf(pid)).toBe(realpathSync(running.folder));
  }
  expect(argumentsOf(jobs)).toEqual(["sleep", "1002"]);
  expect(environmentOf(jobs)).toMatchObject({
    SHARED: "own",
    KLEINHIRN_SET: "jobs",
    KLEINHIRN_WORKER_SLOT: "0",
  });
  expect(folderOf(jobs)).toBe(realpathSync(join(running.folder, "sub")));
});

test("arguments arrive as they were written: no shell, nothing split, quoted, expanded or lost", async () => {
  const odd = [
    "",
    " ",
    "a b",
    "'",
    '"',
    "$HOME",
    "*",
    "\\",
    "`id`",
    "zwei\nZeilen",
    "tab\t",
    "größe → 🧠",
    "--",
    "-x",
    "",
  ];
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${cmdline("sh", "-c", `cat /proc/$$/cmdline > seen; ${ackByDescriptor}; exec sleep 1000`, ...odd)}
  `);
  await onlyWorker(running);
  const seen = readFileSync(join(running.folder, "seen"), "utf8").split("\0").slice(0, -1);
  expect(seen.slice(3)).toEqual(odd);
});

test("the program is looked for with the worker's own PATH, and relative to its own folder", async () => {
  await using running = new Running(
    `${supervisor()}
    [workers.path]
    type = "program"
    ${cmdline("only-here", "1000")}
    env = { PATH = "@FOLDER@/sub:/usr/bin:/bin" }
    [workers.folder]
    type = "program"
    cwd = "sub"
    ${cmdline("./only-here", "1000")}
  `,
    { files: { "sub/only-here": '#!/bin/sh\nexec sleep "$1"\n' } },
  );
  await workersOf(running, 2);
  expect(running.all("worker died")).toEqual([]);
});

test("descriptors are 0 (/dev/null), 1 and 2, whatever the supervisor was started with", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
  `,
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const pid = await onlyWorker(running);
  const own = descriptorsOf(running.pid);
  // The test would say nothing if the supervisor didn't have them.
  expect([own[3], own[4], own[5]].every((target) => target?.startsWith("socket:"))).toBe(true);
  expect(descriptorsOf(pid)).toEqual({ 0: "/dev/null", 1: String(own[1]), 2: String(own[2]) });
});

test("with ack = message there is one more: KLEINHIRN_STATUS_FD", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`${ackByDescriptor}; exec sleep 1000`)}
  `);
  const pid = await onlyWorker(running);
  expect(environmentOf(pid).KLEINHIRN_STATUS_FD).toBe("3");
  expect(Object.keys(descriptorsOf(pid))).toEqual(["0", "1", "2", "3"]);
  expect(descriptorsOf(pid)[3]).toStartWith("socket:");
});

test("default dispositions and an empty mask, also when the supervisor was started with signals ignored", async () => {
  const ignoring = ["sh", "-c", 'trap "" PIPE USR1 HUP TTOU; exec "$@"', "sh"];
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
  `,
    { wrapper: ignoring },
  );
  const pid = await onlyWorker(running);
  expect(signalMasksOf(pid)).toEqual({ blocked: 0n, ignored: 0n, caught: 0n });
});

test("open_files sets the soft limit and leaves the hard one", async () => {
  await using running = new Running(`${supervisor()}
    [workers.few]
    type = "program"
    open_files = 77
    ${cmdline("sleep", "1000")}
    [workers.most]
    type = "program"
    open_files = 1000000000
    ${cmdline("sleep", "1000")}
    [workers.same]
    type = "program"
    ${cmdline("sleep", "1000")}
  `);
  await workersOf(running, 3);
  const limits = (set: string) =>
    openFileLimitsOf(Number(running.find((line) => line.msg === "worker ready" && line.set === set)?.pid));
  const [soft = 0, hard = 0] = openFileLimitsOf(running.pid);
  expect(limits("few")).toEqual([77, hard]);
  expect(limits("most")).toEqual([hard, hard]);
  expect(limits("same")).toEqual([soft, hard]);
});

test("what steers the supervisor alone is not handed down", async () => {
  const own = {
    BUN_OPTIONS: "--smol",
    NOTIFY_SOCKET: "/nowhere",
    WATCHDOG_USEC: "1000000",
    WATCHDOG_PID: "1",
    KLEINHIRN_WORKER_ID: "of-another-supervisor",
    KLEINHIRN_STATUS_FD: "9",
  };
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
  `,
    { env: own },
  );
  const given = environmentOf(await onlyWorker(running));
  for (const name of Object.keys(own).filter((name) => name !== "KLEINHIRN_WORKER_ID")) {
    expect(given).not.toHaveProperty(name);
  }
  expect(given.KLEINHIRN_WORKER_ID).toBe(String(running.find("worker ready")?.worker));
});

test("workers' output is the supervisor's own, byte for byte", async () => {
  const print = 'printf "\\0\\001\\377\\n\\r{\\"level\\": 1}"; printf "\\200 to stderr\\n" >&2';
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`${print}; ${ackByDescriptor}; exec sleep 1000`)}
  `);
  await onlyWorker(running);
  await running.stop();
  expect(Buffer.concat(running.bytes.stdout)).toEqual(Buffer.from('\0\x01\xff\n\r{"level": 1}', "latin1"));
  expect(Buffer.concat(running.bytes.stderr).includes(Buffer.from("\x80 to stderr\n", "latin1"))).toBe(true);
});
