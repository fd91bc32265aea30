/** What an orchestrator is told, and where (specification section 8). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { kleinhirn, repository } from "../helpers/program.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, shell, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const sleeper = `
    [worker]
    type = "program"
    ${cmdline("sleep", "1000")}
`;

/** Without the common part's `[health_check]`. */
function withHealth(listen: string, rest = sleeper): string {
  return `${supervisor().replace('"127.0.0.1:0"', listen)}${rest}`;
}

async function table(running: Running): Promise<number[]> {
  const answers = ["/healthz", "/readyz", "/livez"].map((path) => running.health(path));
  return (await Promise.all(answers)).map(({ status }) => status);
}

async function firstSet(running: Running): Promise<string> {
  const [, line = ""] = (await (await running.health("/healthz")).text()).split("\n");
  return line;
}

test("the three answers through a whole life: starting, running, underprovisioned, faulted, draining", async () => {
  await using running = new Running(`${supervisor('drain_delay = "1h"\nshutdown_timeout = "2h"')}
    [worker]
    type = "program"
    count = 2
    min_ready = 1
    ack = "message"
    restart = { intensity = 2, backoff = "0s" }
    ${shell(`until [ -e go ]; do sleep 0.01; done; ${ackByDescriptor}; exec sleep 1000`)}
  `);
  await running.waitFor("worker launched", 2);
  expect(await table(running)).toEqual([503, 503, 200]);
  expect(await firstSet(running)).toBe("it: starting, 0 of 2 ready");
  writeFileSync(join(running.folder, "go"), "");
  const [first, second] = await running.waitFor("worker ready", 2);
  await running.waitFor("worker set running");
  expect(await table(running)).toEqual([200, 200, 200]);
  expect(await firstSet(running)).toBe("it: running, 2 of 2 ready");
  rmSync(join(running.folder, "go"));
  process.kill(Number(first?.pid), "SIGKILL");
  await running.waitFor("worker set underprovisioned");
  expect(await table(running)).toEqual([503, 200, 200]);
  expect(await firstSet(running)).toMatch(
    /^it: underprovisioned, 1 of 2 ready, last death: signal KILL \d+ s ago$/,
  );
  process.kill(Number(second?.pid), "SIGKILL");
  await running.waitFor("worker died", 2);
  expect(await table(running)).toEqual([503, 503, 200]);
  const [third] = (await running.waitFor("worker launched", 4)).slice(-1);
  process.kill(Number(third?.pid), "SIGKILL");
  await running.waitFor("worker set faulted");
  expect(await table(running)).toEqual([503, 503, 503]);
  running.signal("SIGTERM");
  await running.waitFor("stopping");
  expect(await table(running)).toEqual([503, 503, 200]);
  expect(await firstSet(running)).toStartWith("it: draining, 0 of 2 ready");
});

test("a load that hangs: starting up, so alive, and neither healthy nor ready until it is over", async () => {
  await using running = new Running(
    `${supervisor()}
    [workers.web]
    type = "ruby"
    count = 3
    load = "app.rb"
    start_expression = "KleinhirnLoader.ack; sleep"
  `,
    // It can't end before it is asked about: what ends it is a file that the test writes.
    {
      files: {
        "app.rb": 'require "kleinhirn_loader"\nFile.write("hangs", "")\nsleep 0.01 until File.exist?("go")\n',
      },
    },
  );
  await waitUntil(() => existsSync(join(running.folder, "hangs")));
  expect(await table(running)).toEqual([503, 503, 200]);
  expect(await firstSet(running)).toBe("web: loading, 0 of 3 ready, preloader loading generation 1");
  writeFileSync(join(running.folder, "go"), "");
  await running.waitFor("worker set running");
  expect(await table(running)).toEqual([200, 200, 200]);
  expect(await running.stop()).toBe(0);
});

test("of several sets the worst decides, and each has its line", async () => {
  await using running = new Running(`${supervisor()}
    [workers.good]
    type = "program"
    ${cmdline("sleep", "1000")}
    [workers.late]
    type = "program"
    ack = "message"
    ${cmdline("sleep", "1000")}
  `);
  await running.waitFor("worker launched", 2);
  expect(await table(running)).toEqual([503, 503, 200]);
  const answer = await running.health("/readyz");
  expect(await answer.text()).toBe("unhealthy\ngood: running, 1 of 1 ready\nlate: starting, 0 of 1 ready\n");
});

test("GET and HEAD agree in all but the body; nothing is to be cached", async () => {
  await using running = new Running(withHealth('"127.0.0.1:0"'));
  await running.waitFor("worker set running");
  for (const path of ["/healthz", "/readyz", "/livez", "/healthz?why=not"]) {
    const [got, head] = [await running.health(path), await running.health(path, { method: "HEAD" })];
    const headers = (answer: Response) => ({ ...Object.fromEntries(answer.headers), date: "" });
    expect([got.status, head.status]).toEqual([200, 200]);
    expect(headers(head)).toEqual(headers(got));
    expect(await head.text()).toBe("");
    expect(await got.text()).toBe("ok\nit: running, 1 of 1 ready\n");
    expect(got.headers.get("cache-control")).toBe("no-store");
    expect(got.headers.get("content-type")).toStartWith("text/plain");
  }
});

test("JSON for who asks for it; no argument, variable or path in any answer", async () => {
  await using running = new Running(
    `${supervisor()}
    [worker]
    type = "program"
    env = { TOKEN = "hidden-in-the-environment" }
    ${cmdline("sh", "-c", "exec sleep 1000", "hidden-in-the-arguments")}
  `,
  );
  const [worker] = await running.waitFor("worker ready");
  const answer = await running.health("/healthz", { headers: { accept: "application/json" } });
  expect(answer.headers.get("content-type")).toStartWith("application/json");
  const text = await answer.text();
  expect(JSON.parse(text)).toEqual({
    status: "ok",
    name: "it",
    ready: true,
    live: true,
    sets: [
      {
        name: "it",
        state: "running",
        ready: 1,
        count: 1,
        min_ready: 1,
        deaths: 0,
        last_death: null,
        detail: null,
        workers: [
          { slot: 0, id: worker?.worker, phase: "ready", pid: worker?.pid, age_ms: expect.any(Number) },
        ],
      },
    ],
  });
  for (const path of ["/healthz", "/readyz", "/livez"]) {
    const answers = [
      await running.health(path),
      await running.health(path, { headers: { accept: "application/json" } }),
    ];
    const texts = await Promise.all(answers.map((one) => one.text()));
    expect(texts.join()).not.toMatch(/hidden|sleep|\/tmp|sh -c/);
  }
});

test("everything else is 404, other methods are 405", async () => {
  await using running = new Running(withHealth('"127.0.0.1:0"\nendpoint = "/status"'));
  const statusOf = async (path: string, method: string) => (await running.health(path, { method })).status;
  for (const path of ["/", "/healthz", "/readyz/", "/LIVEZ", "/status/x", "/..%2f"])
    expect(await statusOf(path, "GET")).toBe(404);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const answer = await running.health("/status", {
      method,
      ...(method === "OPTIONS" ? {} : { body: "x".repeat(100_000) }),
    });
    expect([method, answer.status, answer.headers.get("allow")]).toEqual([method, 405, "GET, HEAD"]);
  }
  await running.waitFor("worker set running");
  expect(await statusOf("/status", "GET")).toBe(200);
});

test("the server listens before anything is launched", async () => {
  await using running = new Running(withHealth('"127.0.0.1:0"'));
  await running.waitFor("worker set running");
  const order = ["health server listening", "supervisor started", "worker launched"];
  expect(running.lines.map(({ msg }) => msg).filter((msg) => order.includes(msg))).toEqual(order);
});

test("on a Unix socket, also where a dead supervisor has left one", async () => {
  const config = withHealth('"unix:health.sock"');
  await using first = new Running(config);
  const [line] = await first.waitFor("health server listening");
  const socket = join(first.folder, "health.sock");
  expect(line?.url).toBe(`unix:${socket}:/healthz`);
  await first.waitFor("worker set running");
  expect(await (await fetch("http://localhost/readyz", { unix: socket })).text()).toStartWith("ok\n");
  first.signal("SIGKILL");
  await first.process.exited;
  await waitUntil(() => first.processes().length === 0);
  expect(lstatSync(socket).isSocket()).toBe(true);
  await using second = new Running(withHealth(`"unix:${socket}"`));
  await second.waitFor("worker set running");
  expect((await fetch("http://localhost/healthz", { unix: socket })).status).toBe(200);
  expect(await second.stop()).toBe(0);
  expect(lstatSync(socket, { throwIfNoEntry: false })).toBeUndefined();
});

test("a port that is taken: exit 69, the address and the remedy in the message, nothing launched", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await using running = new Running(withHealth(`"127.0.0.1:${port}"`));
    expect(await running.exited()).toBe(69);
    expect(running.lines).toHaveLength(1);
    expect(running.lines[0]).toMatchObject({ level: "critical", msg: "can't start", exit_status: 69 });
    expect(running.lines[0]?.reason).toBe(
      `health_check.listen_addr: can't listen on 127.0.0.1:${port}: another process listens there (EADDRINUSE); stop it or choose another port`,
    );
  } finally {
    server.close();
  }
});

test.each([
  ["127.0.0.1:0", "http://127.0.0.1:"],
  ["0.0.0.0:0", "http://0.0.0.0:"],
  ["[::]:0", "http://[::]:"],
])("listen_addr = %j", async (listen, url) => {
  await using running = new Running(withHealth(JSON.stringify(listen)));
  const [line] = await running.waitFor("health server listening");
  expect(line?.url).toStartWith(url);
  await running.waitFor("worker set running");
  expect(await askHealth(["--url", String(line?.url)])).toEqual([0, "ok\nit: running, 1 of 1 ready\n", ""]);
});

test("`kleinhirn health` asks the configured address, or the given one: 0 healthy, 1 unhealthy or no answer", async () => {
  const config = `${withHealth('"unix:health.sock"\nendpoint = "/status"', "")}
    [worker]
    type = "program"
    ack = "message"
    ${shell(`until [ -e go ]; do sleep 0.01; done; ${ackByDescriptor}; exec sleep 1000`)}
  `;
  await using running = new Running(config);
  const file = ["-f", join(running.folder, "kleinhirn.toml")];
  await running.waitFor("worker launched");
  expect(await askHealth(file)).toEqual([1, "unhealthy\nit: starting, 0 of 1 ready\n", ""]);
  const live = ["--url", `unix:${running.folder}/health.sock:/livez`];
  expect(await askHealth(live)).toEqual([0, "ok\nit: starting, 0 of 1 ready\n", ""]);
  writeFileSync(join(running.folder, "go"), "");
  await running.waitFor("worker set running");
  expect(await askHealth(file)).toEqual([0, "ok\nit: running, 1 of 1 ready\n", ""]);
  expect(await askHealth([], running.folder)).toEqual([0, "ok\nit: running, 1 of 1 ready\n", ""]);
  expect(await running.stop()).toBe(0);
  const [status, , complaint] = await askHealth(file);
  expect([status, complaint]).toEqual([
    1,
    expect.stringMatching(/^kleinhirn health: nothing answers \(E\w+\) at /),
  ]);
});

/** Status, standard output and standard error of `kleinhirn health`. */
async function askHealth(args: readonly string[], cwd = repository): Promise<[number, string, string]> {
  const child = Bun.spawn([...kleinhirn, "health", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return [await child.exited, stdout, stderr];
}
