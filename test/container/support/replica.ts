/** One replica of the demo: examples/shop, PID 1 of its own namespace, on ports that the next one on its place takes over. */
import { join } from "node:path";
import { Running, repository } from "../../helpers/running.ts";
import type { Backend } from "./balancer.ts";
import { findPid1, inNamespace, root } from "./pid1.ts";

const shop = join(repository, "examples/shop");

/** @param drainDelay as `supervisor.drain_delay`. */
export function startReplica({ name, webPort, healthPort }: Backend, drainDelay: string): Running {
  const set = (start: string) => `
    type = "ruby"
    cwd = ${JSON.stringify(shop)}
    gemfile = ${JSON.stringify(join(shop, "Gemfile"))}
    load = ${JSON.stringify(join(shop, "config.ru"))}
    start_expression = "${start}"
    env = { APP_ENV = "production", SHOP_DATABASE = "@FOLDER@/shop.sqlite3" }
  `;
  const toml = `
    [supervisor]
    name = "${name}"
    drain_delay = "${drainDelay}"
    [log]
    format = "json"
    [health_check]
    listen_addr = "127.0.0.1:${healthPort}"
    [workers.web]
    count = 2
    ${set("Shop::WebServer.run(KleinhirnLoader.rack_app)")}
    [workers.jobs]
    ${set("Shop::Packer.run")}
  `;
  const withSocket = ["ruby", join(shop, "bin/with-socket"), `127.0.0.1:${webPort}`];
  return new Running(toml, { wrapper: [...inNamespace(root), ...withSocket] });
}

/** As an orchestrator does it: TERM to PID 1, and then it waits. @returns the exit status. */
export async function stopReplica(replica: Running): Promise<number> {
  process.kill(await findPid1(replica), "SIGTERM");
  return replica.exited();
}
