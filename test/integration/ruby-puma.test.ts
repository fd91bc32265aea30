/** A real web application: Sinatra on Puma in single mode, in forked workers, on a socket that systemd's tool opened. */
import { expect, test } from "bun:test";
import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../helpers/ports.ts";
import { type LogLine, Running, repository } from "../helpers/running.ts";
import { waitUntil } from "../helpers/wait.ts";

const shop = join(repository, "examples/shop");
const activate = "/usr/bin/systemd-socket-activate";

const toml = (more = "") => `
[supervisor]
name = "shop"
socket = "@FOLDER@/shop.sock"
[log]
format = "json"
level = "debug"
[health_check]
listen_addr = "127.0.0.1:0"
[workers.web]
type = "ruby"
gemfile = "${shop}/Gemfile"
load = "${shop}/config.ru"
start_expression = "Shop::WebServer.run(KleinhirnLoader.rack_app)"
count = 3
env = { APP_ENV = "production", SHOP_DATABASE = "@FOLDER@/shop.sqlite3" }
${more}
[workers.jobs]
type = "ruby"
gemfile = "${shop}/Gemfile"
load = "${shop}/config.ru"
start_expression = "Shop::Packer.run"
env = { APP_ENV = "production", SHOP_DATABASE = "@FOLDER@/shop.sqlite3" }
`;

const isRunning = (line: LogLine) => line.msg === "worker set running";

function socketsOf(pid: number, fd: number): string {
  return readlinkSync(`/proc/${pid}/fd/${fd}`);
}

test("Puma in every worker answers on the socket that systemd-socket-activate opened", async () => {
  expect(existsSync(activate)).toBe(true); // Debian's package systemd; script/setup installs it.
  const port = freePort();
  // It hands down what it is told to, and no more; the marker is what finds a process that is left behind.
  const wrapper = [activate, ...(hasNow() ? ["--now"] : []), "-E", "KLEINHIRN_TEST_MARKER"];
  await using s = new Running(toml(), { wrapper: [...wrapper, "-l", `127.0.0.1:${port}`] });
  // Without --now it starts what it was told to start at the first connection.
  await waitUntil(async () => isAnswered(port));
  await s.waitFor(isRunning, 2);
  expect(s.all("preloader ready")).toHaveLength(1);

  const workers = s
    .all((line) => line.msg === "worker ready" && line.set === "web")
    .map((l) => Number(l.pid));
  const sockets = new Set(workers.map((pid) => socketsOf(pid, 3)));
  expect(sockets.size).toBe(1);

  const bodies = await Promise.all(
    Array.from({ length: 30 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
  );
  for (const body of bodies) expect(body).toMatch(/<html/i);
  expect((await s.health("/readyz")).status).toBe(200);

  process.kill(workers[0] ?? 0, "SIGKILL");
  await s.waitFor((line) => line.msg === "worker ready" && line.set === "web", 4);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(await s.stop()).toBe(0);
  expect(s.find("stopped")).toMatchObject({ killed: 0 });
}, 60_000);

async function isAnswered(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).ok;
  } catch {
    return false;
  }
}

function hasNow(): boolean {
  return Bun.spawnSync([activate, "--help"]).stdout.toString().includes("--now");
}
