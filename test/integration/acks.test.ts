/** Who may ack for whom, and what becomes of those who don't (specification sections 3 and 5). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Peer } from "../helpers/peer.ts";
import { isAlive } from "../helpers/processes.ts";
import { kleinhirn as program, repository } from "../helpers/program.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, idle, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const bun = process.execPath;
const say = join(repository, "test/fixtures/programs/say.ts");
const kleinhirn = program.map((word) => `'${word}'`).join(" ");
const ack = '{"action":"ack","id":"ID"}';

/** One worker that waits for its ack. */
function acking(command: string, settings = ""): string {
  return `${supervisor()}
    [worker]
    type = "program"
    ack = "message"
    ${settings}
    ${command}
  `;
}

/** Warnings that say that somebody was turned away. */
function refusals(running: Running) {
  return running.all(({ msg }) => msg.startsWith("refused a message"));
}

function socketOf(running: Running): string {
  return String(running.find("supervisor started")?.socket);
}

test("by the socket, from the worker itself", async () => {
  await using running = new Running(acking(cmdline(bun, say, "--stay", ack)));
  const [ready] = await running.waitFor("worker ready");
  expect(Number(ready?.ack_ms)).toBeGreaterThanOrEqual(0);
  await waitForOutput(running, 'answer: {"ok":true}\n');
  expect(refusals(running)).toEqual([]);
});

test("by the socket, from a descendant, also from one in a session of its own", async () => {
  const script = `sh -c 'setsid -w "$BUN" "$SAY" "$ACK"'; exec sleep 1000`;
  const variables = `env = { BUN = "${bun}", SAY = "${say}", ACK = '${ack}' }`;
  await using running = new Running(acking(shell(script), variables));
  await running.waitFor("worker ready");
  expect(refusals(running)).toEqual([]);
});

test("by KLEINHIRN_STATUS_FD, byte by byte", async () => {
  const script = `
    line=$(printf '{"action":"ack","id":"%s"}' "$KLEINHIRN_WORKER_ID")
    while [ -n "$line" ]; do rest=\${line#?}; printf %s "\${line%"$rest"}" >&3; line=$rest; done
    echo >&3
    exec sleep 1000
  `;
  await using running = new Running(acking(shell(script)));
  await running.waitFor("worker ready");
  expect(refusals(running)).toEqual([]);
});

test("`kleinhirn ack` in a script: status 0 when it counts, and again when it is repeated", async () => {
  const script = `${kleinhirn} ack; echo "status $?"; ${kleinhirn} ack; echo "again $?"; exec sleep 1000`;
  await using running = new Running(acking(shell(script)));
  await running.waitFor("worker ready");
  await waitForOutput(running, "again 0");
  expect(running.output).toBe("status 0\nagain 0\n");
  expect(running.all("worker ready")).toHaveLength(1);
  expect(refusals(running)).toEqual([]);
});

test("`kleinhirn ack` by the descriptor alone, as the original's workers have it", async () => {
  await using running = new Running(
    acking(shell(`unset KLEINHIRN_SOCKET; ${kleinhirn} ack; echo "status $?"; exec sleep 1000`)),
  );
  await running.waitFor("worker ready");
  await waitForOutput(running, "status 0");
});

test("an ack that nobody waits for is harmless", async () => {
  await using running = new Running(`${supervisor()}
    [worker]
    type = "program"
    ${shell(`${kleinhirn} ack; echo "status $?"; exec sleep 1000`)}
  `);
  await waitForOutput(running, "status 0");
  expect(running.all("worker ready")).toHaveLength(1);
  expect(refusals(running)).toEqual([]);
});

test("a stranger's ack is refused, even with a stolen id, and the worker goes on waiting for its own", async () => {
  await using running = new Running(
    acking(shell(`until [ -e go ]; do sleep 0.02; done; ${ackByDescriptor}; exec sleep 1000`)),
  );
  const [launched] = await running.waitFor("worker launched");
  const environment = { KLEINHIRN_SOCKET: socketOf(running), KLEINHIRN_WORKER_ID: String(launched?.worker) };
  const stranger = await runAck(environment);
  expect(stranger.status).toBe(1);
  expect(stranger.complaint).toBe(
    `kleinhirn ack: process ${stranger.pid} is neither this worker nor a descendant of it\n`,
  );
  await running.waitFor("refused a message on the socket");
  expect(refusals(running)).toEqual([
    expect.objectContaining({ level: "warning", worker: launched?.worker, peer_pid: stranger.pid }),
  ]);
  expect(running.find("worker ready")).toBeUndefined();
  await Bun.write(join(running.folder, "go"), "");
  await running.waitFor("worker ready");
});

test("an id that was never given is refused and worth a warning", async () => {
  await using running = new Running(acking(shell(`${ackByDescriptor}; exec sleep 1000`)));
  await running.waitFor("worker ready");
  using peer = new Peer(socketOf(running));
  peer.send('{"action":"ack","id":"invented-1"}\n');
  expect(JSON.parse(await peer.closed())).toEqual({ error: "no live worker has this id" });
  await running.waitFor("refused a message on the socket");
  expect(refusals(running)).toEqual([
    expect.objectContaining({ worker: "invented-1", peer_pid: process.pid }),
  ]);
});

test("a worker can't ack for another one, neither by the socket nor by its descriptor", async () => {
  const script = `
    if [ "$KLEINHIRN_WORKER_SLOT" = 0 ]; then echo "$KLEINHIRN_WORKER_ID" > other.new; mv other.new other; exec sleep 1000; fi
    until [ -e other ]; do sleep 0.02; done
    own=$KLEINHIRN_WORKER_ID KLEINHIRN_WORKER_ID=$(cat other)
    '${bun}' '${say}' '${ack}'
    ${ackByDescriptor}
    KLEINHIRN_WORKER_ID=$own
    ${ackByDescriptor}
    exec sleep 1000
  `;
  await using running = new Running(acking(shell(script), "count = 2"));
  await running.waitFor("worker ready");
  const [first, second] = refusals(running);
  expect(first).toMatchObject({ msg: "refused a message on the socket" });
  expect(first?.reason).toMatch(/^process \d+ is neither this worker nor a descendant of it$/);
  expect(second).toMatchObject({
    msg: "refused a message on an ack descriptor",
    reason: "the ack names another worker",
  });
  expect(running.all("worker ready").map(({ slot }) => slot)).toEqual([1]);
  await waitForOutput(running, "answer");
  expect(running.output).toStartWith('answer: {"error":"process ');
});

test("`kleinhirn ack` outside: 64 without a worker's environment, 1 without a supervisor", async () => {
  const outside = await runAck({});
  expect(outside.status).toBe(64);
  expect(outside.complaint).toMatch(/^kleinhirn ack: .*KLEINHIRN_WORKER_ID and KLEINHIRN_SOCKET/);
  const alone = await runAck({ KLEINHIRN_WORKER_ID: "x-1", KLEINHIRN_SOCKET: "/nonexistent/kleinhirn.sock" });
  expect([alone.status, alone.complaint]).toEqual([
    1,
    'kleinhirn ack: no supervisor listens at "/nonexistent/kleinhirn.sock" (ENOENT)\n',
  ]);
});

test("a worker that doesn't ack in time is stopped and replaced; its siblings are left alone", async () => {
  const script = `
    if [ "$KLEINHIRN_WORKER_SLOT" != 1 ] || [ -e late ]; then ${ackByDescriptor}; exec sleep 1000; fi
    trap 'touch late; exit 0' TERM
    ${idle}
  `;
  await using running = new Running(acking(shell(script), 'count = 3\nack_timeout = "3s"'));
  const [late] = await running.waitFor("worker did not ack in time");
  expect(late).toMatchObject({ level: "error", slot: 1 });
  expect(Number(late?.after_ms)).toBeGreaterThanOrEqual(2999);
  await running.waitFor("worker set running");
  expect(running.find("worker stopped")).toMatchObject({
    worker: late?.worker,
    exit: "status 0",
    cause: "ack timeout",
  });
  expect(running.all("worker launched")).toHaveLength(4);
  expect(running.all("worker ready").at(-1)).toMatchObject({ slot: 1 });
  const siblings = running.all((line) => line.msg === "worker ready" && line.slot !== 1);
  expect(siblings.map(({ pid }) => isAlive(Number(pid)))).toEqual([true, true]);
  expect(await (await running.health("/healthz")).text()).toMatch(
    /^ok\nit: running, 3 of 3 ready, last death: ack timeout \d+ s ago\n$/,
  );
});

test("one that ignores its stop signal as well is killed, and its slot waits for its end", async () => {
  await using running = new Running(
    acking(
      shell(
        `[ -e late ] && { ${ackByDescriptor}; exec sleep 1000; }; touch late; trap "" TERM; exec sleep 1000`,
      ),
      'ack_timeout = "2s"\nstop_timeout = "200ms"',
    ),
  );
  await running.waitFor("worker ready");
  const interesting = ["worker launched", "worker did not ack in time", "worker killed", "worker ready"];
  expect(running.lines.map(({ msg }) => msg).filter((msg) => interesting.includes(msg))).toEqual([
    "worker launched",
    "worker did not ack in time",
    "worker killed",
    "worker launched",
    "worker ready",
  ]);
});

test("an ack that comes while the worker is being stopped changes nothing, and is no cause for alarm", async () => {
  const script = `
    [ -e late ] && exec sleep 1000
    touch late
    trap '${kleinhirn} ack; echo "status $?"; exit 0' TERM
    ${idle}
  `;
  await using running = new Running(acking(shell(script), 'ack_timeout = "2s"\nstop_timeout = "20s"'));
  await running.waitFor("worker stopped");
  await waitForOutput(running, "kleinhirn ack: this worker is being stopped\n");
  await waitForOutput(running, "status 1\n");
  expect(refusals(running)).toEqual([]);
  expect(running.find("worker ready")).toBeUndefined();
});

test("too many ack timeouts fault the set", async () => {
  await using running = new Running(
    acking(shell("exec sleep 1000"), 'ack_timeout = "50ms"\nrestart = { intensity = 1, backoff = "0s" }'),
  );
  const [faulted] = await running.waitFor("worker set faulted");
  expect(faulted).toMatchObject({ reason: "2 deaths", last_death: "ack timeout" });
  expect((await running.health("/livez")).status).toBe(503);
});

test("max_starting: never more on their way than that, and all get there", async () => {
  const script = `sleep 0.0$KLEINHIRN_WORKER_SLOT; ${ackByDescriptor}; exec sleep 1000`;
  await using running = new Running(acking(shell(script), "count = 8\nmax_starting = 2"));
  await running.waitFor("worker set running");
  let starting = 0;
  let most = 0;
  for (const { msg } of running.lines) {
    if (msg === "worker launched") starting += 1;
    if (msg === "worker ready") starting -= 1;
    most = Math.max(most, starting);
  }
  expect(most).toBe(2);
});

test("min_ready: /readyz says 200 with that many, once all have been ready; the overall answer wants all", async () => {
  const script = `[ -e holdup ] || { ${ackByDescriptor}; }; exec sleep 1000`;
  await using running = new Running(acking(shell(script), "count = 3\nmin_ready = 1"));
  const statuses = async () => [
    (await running.health("/healthz")).status,
    (await running.health("/readyz")).status,
  ];
  const ready = await running.waitFor("worker ready", 3);
  await running.waitFor("worker set running");
  expect(await statuses()).toEqual([200, 200]);
  await Bun.write(join(running.folder, "holdup"), "");
  for (const [index, { pid }] of ready.entries()) {
    process.kill(Number(pid), "SIGKILL");
    await running.waitFor("worker launched", 4 + index);
    expect(await statuses()).toEqual([503, index < 2 ? 200 : 503]);
  }
});

async function waitForOutput(running: Running, text: string): Promise<void> {
  await waitUntil(
    () => running.output.includes(text),
    () => `${text} in:\n${running.transcript()}`,
  );
}

/** `kleinhirn ack` as a process of this test's own, which is nobody's worker. */
async function runAck(environment: Record<string, string>) {
  const child = Bun.spawn([...program, "ack"], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const complaint = await child.stderr.text();
  return { pid: child.pid, status: await child.exited, complaint };
}
