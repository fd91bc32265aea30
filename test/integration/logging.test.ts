/** The log as its reader gets it (specification section 9). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Peer } from "../helpers/peer.ts";
import { argumentsOf, isAlive } from "../helpers/processes.ts";
import { kleinhirn } from "../helpers/program.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { parseLogfmt } from "../logging/logfmt-parser.ts";

setDefaultTimeout(testTimeoutMs);

/** @param log the lines of the table `[log]`. */
function withLog(log: string, worker: string): string {
  return `
    [supervisor]
    name = "it"
    ${log === "" ? "" : `[log]\n${log}`}
    [health_check]
    listen_addr = "unix:health.sock"
    [worker]
    type = "program"
    ${worker}
  `;
}

async function isHealthy(running: Running, path = "/livez"): Promise<boolean> {
  try {
    return (
      (await fetch(`http://localhost${path}`, { unix: join(running.folder, "health.sock") })).status === 200
    );
  } catch {
    return false; // Not there yet, or bound and not listening yet.
  }
}

const levels = ["critical", "error", "warning", "info", "debug"];

/** A life with nearly everything in it that can happen to a set: launches, acks, deaths, timeouts, refusals, a fault, a stop. */
async function live(running: Running): Promise<void> {
  await waitUntil(() => running.output.includes("worker set faulted"));
  const socket = join(running.folder, "kleinhirn-it.sock");
  using peer = new Peer(socket);
  peer.send(`${JSON.stringify({ action: "ack", id: 'x"\nlevel=critical msg=forged\u2028\u001b[31m' })}\n`);
  await peer.closed();
  running.signal("SIGWINCH");
  await waitUntil(() => running.output.includes("passed on") && running.output.includes("refused"));
  expect(await running.stop()).toBe(0);
}

const eventful = `
    count = 3
    ack = "message"
    ack_timeout = "300ms"
    stop_timeout = "100ms"
    restart = { intensity = 3, backoff = "1ms" }
    ${shell(`
      case $KLEINHIRN_WORKER_SLOT in
        0) ${ackByDescriptor}; exec sleep 1000 ;;
        1) trap "" TERM; exec sleep 1000 ;;
        2) ${ackByDescriptor}; exit 1 ;;
      esac
    `)}
`;

test("logfmt: every line is one event with its time, level, message and service first", async () => {
  await using running = new Running(withLog('format = "logfmt"\nlevel = "debug"', eventful));
  await live(running);
  const events = running.output.trimEnd().split("\n").map(parseLogfmt);
  for (const event of events) {
    expect(event.slice(0, 4).map(([key]) => key)).toEqual(["ts", "level", "msg", "service"]);
    const { ts, level, service } = Object.fromEntries(event);
    expect(new Date(String(ts)).toISOString()).toBe(String(ts));
    expect(levels).toContain(String(level));
    expect(service).toBe("it");
    expect(new Set(event.map(([key]) => key)).size).toBe(event.length);
  }
  const messages = new Set(events.map((event) => Object.fromEntries(event).msg));
  for (const msg of [
    "health server listening",
    "supervisor started",
    "worker launched",
    "worker ready",
    "worker died",
    "worker set faulted",
    "refused a message on the socket",
    "signal passed on",
    "stopping",
    "worker stopping",
    "worker stopped",
    "stopped",
  ]) {
    expect(messages).toContain(msg);
  }
  expect(messages).not.toContain("forged");
  expect(running.output).not.toContain("\u001b");
});

test("JSON: the same events, the same keys, and the service's own output left as it is", async () => {
  await using running = new Running(withLog('format = "json"\nlevel = "debug"', eventful));
  await running.waitFor("worker set faulted");
  expect(await running.stop()).toBe(0);
  for (const line of running.lines) {
    expect(Object.keys(line).slice(0, 4)).toEqual(["ts", "level", "msg", "service"]);
    expect(new Date(String(line.ts)).toISOString()).toBe(String(line.ts));
    expect(levels).toContain(line.level);
  }
  const [launched] = running.all("worker launched");
  expect(launched).toMatchObject({ set: "it", slot: 0, worker: expect.any(String), pid: expect.any(Number) });
  expect(running.output).toBe("");
});

test.each([
  ["the original's JSON", 'format = { format = "json" }', /^\{"ts":"[^"]+","level":"info","msg":"/],
  [
    "the original's lead",
    'format = { format = "logfmt", print_prefix = true }',
    /^INFO \| health server listening\tts=/,
  ],
  ["logfmt when nothing is said", "", /^ts=\S+ level=info msg="health server listening" service=it url=/],
])("%s", async (_, log, first) => {
  await using running = new Running(withLog(log, cmdline("sleep", "1000")));
  await waitUntil(() => Buffer.concat(running.bytes.stderr).includes("worker set running"));
  expect(await running.stop()).toBe(0);
  expect(Buffer.concat(running.bytes.stderr).toString()).toMatch(first);
});

test('output = "stdout" writes there and nothing to stderr; level leaves out what is less grave', async () => {
  const script = `echo from the worker >&2; ${ackByDescriptor}; [ -e died ] && exec sleep 1000; touch died; exit 1`;
  await using running = new Running(
    withLog('format = "json"\noutput = "stdout"\nlevel = "warning"', `ack = "message"\n${shell(script)}`),
  );
  await running.waitFor("worker died");
  await waitUntil(() => isHealthy(running, "/readyz"));
  expect(await running.stop()).toBe(0);
  expect(Buffer.concat(running.bytes.stderr).toString()).toBe("from the worker\nfrom the worker\n");
  expect(running.lines.map(({ msg }) => msg).filter((msg) => msg !== "worker set underprovisioned")).toEqual([
    "worker died",
  ]);
});

/** The reader of the log is a process of its own; `reader` reads the fifo `log`. It is no child of kleinhirn's. */
function readBy(reader: string): readonly string[] {
  return ["sh", "-c", `mkfifo log; ( ${reader} < log & echo $! > reader ); exec "$@" 2> log`, "sh"];
}

/** Fails to launch as fast as it can: some thousand events a second, each with a long path in it. */
const flooding = `
    restart = { intensity = 1000000, backoff = "0s", backoff_max = "0s" }
    ${cmdline(`./${"v".repeat(200)}`)}
`;
const vanishing = { ["v".repeat(200)]: "#!/bin/sh\nexec sleep 1000\n" };

/** Makes the worker's program vanish, and kills the one that runs. */
async function beginFlood(running: Running): Promise<void> {
  await waitUntil(() => isHealthy(running, "/readyz"));
  // In this order: a worker whose program vanishes before its exec never sleeps.
  const sleeper = await findSleeper(running);
  rmSync(join(running.folder, "v".repeat(200)));
  process.kill(sleeper, "SIGKILL");
}

/** The worker has executed its program: "ready" may come a moment before that. */
async function findSleeper(running: Running): Promise<number> {
  const find = () => running.processes().find((pid) => argumentsOf(pid)[0] === "sleep") ?? 0;
  await waitUntil(() => find() !== 0);
  return find();
}

async function countDeaths(running: Running): Promise<number> {
  const answer = await fetch("http://localhost/livez", {
    unix: join(running.folder, "health.sock"),
    headers: { accept: "application/json" },
  });
  return Number(/"deaths":(\d+)/.exec(await answer.text())?.[1]);
}

test("a reader that stalls delays nobody; when it goes on, a line says how many events it missed", async () => {
  await using running = new Running(withLog('format = "json"', flooding), {
    wrapper: readBy("cat > seen"),
    files: vanishing,
  });
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await beginFlood(running);
  process.kill(reader, "SIGSTOP");
  // Three megabytes of events: more than the pipe and the supervisor's own buffer hold. Each look is a health answer.
  const before = await countDeaths(running);
  await waitUntil(async () => (await countDeaths(running)) > before + 8000);
  process.kill(reader, "SIGCONT");
  const seen = () => readFileSync(join(running.folder, "seen"), "utf8");
  await waitUntil(() => seen().includes("log events dropped"));
  expect(await running.stop()).toBe(0);
  await waitUntil(() => !isAlive(reader));
  const lines = seen()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const dropped = lines.filter(({ msg }) => msg === "log events dropped");
  expect(dropped[0]).toMatchObject({ level: "warning", service: "it" });
  // Not one event is lost without being counted: launches are numbered, and only failed ones happened meanwhile.
  const failed = lines.filter(({ msg }) => msg === "worker launch failed");
  const sum = dropped.reduce((total, line) => total + line.dropped, 0);
  const last = Number(failed.at(-1).worker.split("-")[1]);
  expect(failed.length + sum).toBe(last - 1);
  expect(lines.at(-1)).toMatchObject({ msg: "stopped" });
});

test("a reader that stalls for ever doesn't keep the supervisor from stopping", async () => {
  await using running = new Running(withLog('format = "json"', flooding), {
    wrapper: readBy("cat > seen"),
    files: vanishing,
  });
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await beginFlood(running);
  process.kill(reader, "SIGSTOP");
  const before = await countDeaths(running);
  await waitUntil(async () => (await countDeaths(running)) > before + 1000);
  running.signal("SIGTERM");
  const code = await running.process.exited;
  process.kill(reader, "SIGCONT");
  expect(code).toBe(0);
  await waitUntil(() => !isAlive(reader));
});

test("a reader that goes away is no reason to stop", async () => {
  await using running = new Running(withLog('format = "json"\nlevel = "debug"', cmdline("sleep", "1000")), {
    wrapper: readBy("head -n 1 > seen"),
  });
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await waitUntil(() => !isAlive(reader));
  await waitUntil(() => isHealthy(running, "/readyz"));
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    process.kill(await findSleeper(running), "SIGKILL");
    await waitUntil(async () => (await countDeaths(running)) === deaths);
  }
  expect(await running.stop()).toBe(0);
});

test("the last lines are not lost at the exit, however slowly they are read", async () => {
  const count = 300;
  // The shell reads byte by byte, and the end of so many workers is more than a pipe holds.
  await using running = new Running(
    withLog('format = "json"', `count = ${count}\n${cmdline("sleep", "1000")}`),
    {
      wrapper: readBy('while IFS= read -r line; do printf "%s\\n" "$line"; done > seen'),
    },
  );
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await waitUntil(() => isHealthy(running, "/readyz"));
  expect(await running.stop()).toBe(0);
  await waitUntil(() => !isAlive(reader));
  const lines = readFileSync(join(running.folder, "seen"), "utf8").trimEnd().split("\n");
  const messages = lines.map((line) => JSON.parse(line).msg);
  expect(messages.filter((msg) => msg === "worker stopped")).toHaveLength(count);
  expect(messages.at(-1)).toBe("stopped");
  expect(messages).not.toContain("log events dropped");
});

test.each([
  ["human and coloured", "", {}, /\u001b\[32minfo +\u001b\[0m .*worker set running/],
  [
    "human without colours",
    "",
    { NO_COLOR: "1" },
    /^\d\d:\d\d:\d\d\.\d{3} info +worker set running +set=it/m,
  ],
  [
    "logfmt where it is asked for",
    'format = "logfmt"',
    {},
    /^ts=\S+ level=info msg="worker set running" service=it/m,
  ],
])("on a terminal: %s", async (_, log, env, expected) => {
  // script(1) gives the shell a terminal, and hands on what appears on it.
  const onTerminal = [
    "sh",
    "-c",
    'exec script -qefc "$(for part; do printf "\'%s\' " "$part"; done)" /dev/null',
    "sh",
  ];
  await using running = new Running(withLog(log, cmdline("sleep", "1000")), {
    wrapper: onTerminal,
    env: { TERM: "xterm", NO_COLOR: undefined, ...env },
  });
  await waitUntil(() => Buffer.concat(running.bytes.stdout).includes("worker set running"));
  const supervisor = running.processes().find((pid) => {
    const words = argumentsOf(pid);
    return kleinhirn.every((word, index) => words[index] === word);
  });
  process.kill(Number(supervisor), "SIGTERM");
  expect(await running.exited()).toBe(0);
  expect(running.output.replaceAll("\r", "")).toMatch(expected);
});
