/** Sockets that kleinhirn was started with reach every worker (specification section 7). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../helpers/ports.ts";
import { argumentsOf, descriptorsOf, environmentOf } from "../helpers/processes.ts";
import { Running, repository, type StartOptions } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const programs = join(repository, "test/fixtures/programs");
const ruby = ["ruby", "--disable-gems"];
const heir = cmdline(...ruby, join(programs, "heir.rb"));

/** Starts kleinhirn with listening sockets at `first` and the following numbers; their ports are in the file `ports`. */
function withSockets(first: number, count: number, listenPid = "own"): readonly string[] {
  return [
    ...ruby,
    join(programs, "with-sockets.rb"),
    String(first),
    String(count),
    "@FOLDER@/ports",
    listenPid,
  ];
}

async function portsOf(running: Running): Promise<string[]> {
  return (await readLineOf(join(running.folder, "ports"))).split(" ");
}

/** Slot, pid, descriptor and name of the worker that answers. */
async function ask(port: string | number | undefined): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { keepalive: false });
  return (await answer.text()).split(" ");
}

function sleeper(): string {
  return `${supervisor()}
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
  `;
}

async function sleepingWorker(running: Running): Promise<number> {
  const [ready] = await running.waitFor("worker ready");
  await waitUntil(() => argumentsOf(Number(ready?.pid))[0] === "sleep");
  return Number(ready?.pid);
}

/** All that is announced to a worker, in the order of the alphabet. */
function announcedTo(pid: number): Record<string, string> {
  const entries = Object.entries(environmentOf(pid)).filter(([name]) => name.startsWith("LISTEN_"));
  return Object.fromEntries(entries.toSorted());
}

test("descriptor 3: every worker serves on it, also a replacement", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    count = 2
    ${heir}
  `,
    { wrapper: withSockets(3, 1) },
  );
  const [port] = await portsOf(running);
  const first = await running.waitFor("worker ready", 2);
  const pids = first.map(({ pid }) => String(pid));
  const [, answering = "", descriptor] = await ask(port);
  expect(pids).toContain(answering);
  expect(descriptor).toBe("3");
  for (const pid of pids) process.kill(Number(pid), "SIGKILL");
  await running.waitFor("worker ready", 4);
  const [, successor = ""] = await ask(port);
  expect(pids).not.toContain(successor);
  expect(running.all("worker died")).toHaveLength(2);
  expect(await running.stop()).toBe(0);
});

test("LISTEN_FDS_FIRST_FD: the same numbers in the worker, with the names, and nothing between", async () => {
  const options: StartOptions = { wrapper: withSockets(10, 2), env: { LISTEN_FDNAMES: "web:admin" } };
  await using running = new Running(
    `${supervisor()}
    [workers.serves]
    type = "program"
    ${heir}
    [workers.sleeps]
    type = "program"
    ${cmdline("sleep", "1000")}
  `,
    options,
  );
  const [web, admin] = await portsOf(running);
  await running.waitFor("worker set running", 2);
  expect((await ask(web)).slice(2)).toEqual(["10", "web"]);
  expect((await ask(admin)).slice(2)).toEqual(["11", "admin"]);
  const sleeping = Number(running.find((line) => line.msg === "worker ready" && line.set === "sleeps")?.pid);
  await waitUntil(() => argumentsOf(sleeping)[0] === "sleep");
  expect(Object.keys(descriptorsOf(sleeping))).toEqual(["0", "1", "2", "10", "11"]);
  expect(announcedTo(sleeping)).toEqual({
    LISTEN_FDNAMES: "web:admin",
    LISTEN_FDS: "2",
    LISTEN_FDS_FIRST_FD: "10",
    LISTEN_PID: String(sleeping),
  });
});

/**
 * Says what is announced to it, as Ruby sees it: /proc shows the environment that the preloader was started with.
 * The ack takes kleinhirn's own variables from ENV (docs/RUBY.md), and the program that serves wants one of them.
 */
const rubyHeir = `require "kleinhirn_loader"
def serve
  announced = ENV.select { |name, _| name.start_with?("LISTEN_") }
  File.write("announced-#{Process.pid}", announced.sort.map { |pair| pair.join("=") }.join(" ") + "\\n")
  KleinhirnLoader.ack
  ENV["KLEINHIRN_WORKER_SLOT"] = KleinhirnLoader.worker.slot.to_s
  load ${JSON.stringify(join(programs, "heir.rb"))}
end
`;

test("a forked Ruby worker has them at the same numbers, and LISTEN_PID is its own", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "ruby"
    count = 2
    load = "app.rb"
    start_expression = "serve"
  `,
    {
      wrapper: withSockets(10, 2),
      env: { LISTEN_FDNAMES: "web:admin" },
      files: { "app.rb": rubyHeir },
    },
  );
  const [web, admin] = await portsOf(running);
  const pids = (await running.waitFor("worker ready", 2)).map(({ pid }) => Number(pid));
  const own = descriptorsOf(running.pid);
  expect([own[10], own[11]].every((target) => target?.startsWith("socket:"))).toBe(true);
  for (const pid of pids) {
    expect(await readLineOf(join(running.folder, `announced-${pid}`))).toBe(
      `LISTEN_FDNAMES=web:admin LISTEN_FDS=2 LISTEN_FDS_FIRST_FD=10 LISTEN_PID=${pid}`,
    );
    expect(descriptorsOf(pid)).toMatchObject({ 10: own[10], 11: own[11] });
  }
  const [, answering, ...place] = await ask(web);
  expect(pids).toContain(Number(answering));
  expect(place).toEqual(["10", "web"]);
  expect((await ask(admin)).slice(2)).toEqual(["11", "admin"]);
  expect(running.all("worker died")).toEqual([]);
  expect(await running.stop()).toBe(0);
});

test.each([
  [3, ["0", "1", "2", "3", "4"], "4"],
  [10, ["0", "1", "2", "3", "10"], "3"],
])(
  "with sockets from %d on, the ack descriptor is the lowest free number",
  async (first, numbers, ackDescriptor) => {
    await using running = new Running(
      `${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`${ackByDescriptor}; exec sleep 1000`)}
  `,
      { wrapper: withSockets(first, 1) },
    );
    const pid = await sleepingWorker(running);
    expect(Object.keys(descriptorsOf(pid))).toEqual(numbers);
    expect(environmentOf(pid).KLEINHIRN_STATUS_FD).toBe(ackDescriptor);
  },
);

test("without LISTEN_PID they are taken as meant for kleinhirn", async () => {
  await using running = new Running(sleeper(), { wrapper: withSockets(3, 1, "none") });
  const pid = await sleepingWorker(running);
  expect(Object.keys(descriptorsOf(pid))).toEqual(["0", "1", "2", "3"]);
  expect(announcedTo(pid)).toEqual({ LISTEN_FDS: "1", LISTEN_PID: String(pid) });
});

test("a LISTEN_PID that is another process's: a warning, and nothing is passed on", async () => {
  await using running = new Running(sleeper(), { wrapper: withSockets(3, 1, "1") });
  const pid = await sleepingWorker(running);
  expect(Object.keys(descriptorsOf(pid))).toEqual(["0", "1", "2"]);
  expect(announcedTo(pid)).toEqual({});
  expect(running.find("inherited sockets are another process's: not passed on")).toMatchObject({
    level: "warning",
    listen_pid: 1,
    pid: running.pid,
  });
});

test.each([
  [{ LISTEN_FDS: "2" }, "LISTEN_FDS announces descriptors 3 to 4, but 3 is not open"],
  [{ LISTEN_FDS: "1", LISTEN_FDS_FIRST_FD: "77" }, "LISTEN_FDS announces descriptor 77, but 77 is not open"],
  [{ LISTEN_FDS: "many" }, 'LISTEN_FDS is "many", expected a whole number from 0 on'],
  [
    { LISTEN_FDS: "1", LISTEN_FDS_FIRST_FD: "1" },
    'LISTEN_FDS_FIRST_FD is "1", expected a whole number from 3 on',
  ],
  [{ LISTEN_FDS: "1", LISTEN_PID: "me" }, 'LISTEN_PID is "me", expected a whole number from 1 on'],
  [
    { LISTEN_FDS: "2", LISTEN_FDNAMES: "one" },
    'LISTEN_FDNAMES has 1 name ("one"), but LISTEN_FDS announces 2',
  ],
] as const)("%j: exit 69 that says what is wrong, nothing launched", async (env, reason) => {
  await using running = new Running(sleeper(), { env });
  expect(await running.exited()).toBe(69);
  expect(running.lines).toHaveLength(1);
  expect(running.lines[0]).toMatchObject({ level: "critical", msg: "can't start", exit_status: 69 });
  expect(running.lines[0]?.reason).toStartWith(reason);
});

const hasActivator = Bun.which("systemd-socket-activate") !== null;
if (!hasActivator)
  console.warn("There is no systemd-socket-activate: being started by it is not tested here.");

test.skipIf(!hasActivator)("started by systemd-socket-activate", async () => {
  const port = freePort();
  const handedDown = ["KLEINHIRN_TEST_MARKER", "XDG_RUNTIME_DIR", "PATH"].flatMap((name) => ["-E", name]);
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    count = 2
    ${heir}
  `,
    { wrapper: ["systemd-socket-activate", "-l", `127.0.0.1:${port}`, ...handedDown] },
  );
  await waitUntil(() => running.output.includes("Listening on"));
  // It executes kleinhirn, in its own process, when somebody knocks; the request waits until there is a worker.
  const [, pid, descriptor] = await ask(port);
  const ready = await running.waitFor("worker ready", 2);
  expect(ready.map((line) => String(line.pid))).toContain(String(pid));
  expect(descriptor).toBe("3");
  expect(running.find("supervisor started")).toMatchObject({ pid: running.pid });
  expect(await running.stop()).toBe(0);
});

test.each([
  ["a configuration file", (file: string) => ["run", "-f", file]],
  ["a program", () => ["run", "--name", "it", "--", ...ruby, join(programs, "heir.rb")]],
])(
  "`bun run kleinhirn` with %s runs in the process that was started: pid and sockets survive",
  async (_, args) => {
    await using running = new Running(
      `${supervisor()}
    [worker]
    type = "program"
    ${heir}
  `,
      {
        wrapper: withSockets(3, 1),
        program: (file) => [process.execPath, "run", "kleinhirn", ...args(file)],
        cwd: repository,
      },
    );
    const [, worker, descriptor] = await ask((await portsOf(running))[0]);
    expect(descriptor).toBe("3");
    expect(Number(environmentOf(Number(worker)).LISTEN_PID)).toBe(Number(worker));
    expect(argumentsOf(running.pid).slice(1, 3)).toEqual(["run", "kleinhirn"]);
    expect(await running.stop()).toBe(0);
  },
);
