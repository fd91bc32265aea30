/** Who doesn't want to go: a stop takes the grace period and not more, whoever holds on to what. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, linesOf, pidsOf, programSet, rubySet } from "./fleet.ts";
import { tell } from "./scale.ts";

setDefaultTimeout(testTimeoutMs);

const graceMs = 1000;
/** A second is the promise, on a machine that has nothing else to do. */
const promisedMs = graceMs + 1000;
const boundMs = 5 * promisedMs;

/**
 * A worker that ignores TERM, and a grandchild in a session of its own that holds the worker's output open. The grandchild
 * comes first: a shell that is started with an ignored signal can't change that (POSIX).
 */
const stubbornInShell = (trap: string) => `
  ( setsid sh -c '${trap} echo $$ > grandchild.new; mv grandchild.new grandchild; exec sleep 1000' & )
  until [ -e grandchild ]; do sleep 0.01; done
  trap "" TERM
  ${ackByDescriptor}
  exec sleep 1000
`;

const stubbornInRuby = (trap: string) => `
  trap("TERM", "IGNORE")
  fork do
    fork do
      Process.setsid
      trap("TERM", "${trap}")
      File.write("grandchild.new", Process.pid.to_s)
      File.rename("grandchild.new", "grandchild")
      sleep
    end
    exit!(0)
  end
  Process.wait
  sleep 0.01 until File.exist?("grandchild")
  KleinhirnLoader.ack
  sleep
`;

const kinds = [
  ["exec", (ignores: boolean) => programSet("it", stubbornInShell(ignores ? 'trap "" TERM;' : ""), settings)],
  ["Ruby", (ignores: boolean) => rubySet("it", stubbornInRuby(ignores ? "IGNORE" : "DEFAULT"), settings)],
] as const;
const settings = `ack = "message"\nstop_timeout = "${graceMs}ms"`;

test.each(kinds)(
  "a worker that ignores TERM, with a grandchild in its own session that holds stdout: gone within the grace period and a second (%s)",
  async (kind, set) => {
    await using running = new Running(`${supervisor('shutdown_timeout = "60s"')}\n${set(false)}`, {
      files: application(),
    });
    await running.waitFor("worker set running");
    const took = await stopAndTime(running);
    tell(`grace period of ${graceMs} ms, to the exit (${kind})`, [took]);
    expect(took).toBeGreaterThanOrEqual(graceMs - 1);
    expect(took).toBeLessThan(boundMs);
    expect(running.find("worker killed")).toMatchObject({ exit: "signal KILL", cause: "shutdown" });
    // The grandchild went when it was asked to.
    expect(running.find("orphans killed")).toBeUndefined();
    expect(running.find("stopped")).toMatchObject({ killed: 1, exit_status: 0 });
  },
);

test.each(kinds)(
  "the same, and the grandchild ignores TERM as well: gone within the shutdown timeout and a second (%s)",
  async (kind, set) => {
    const shutdownMs = 1500;
    await using running = new Running(`${supervisor(`shutdown_timeout = "${shutdownMs}ms"`)}\n${set(true)}`, {
      files: application(),
    });
    await running.waitFor("worker set running");
    const took = await stopAndTime(running);
    tell(`shutdown timeout of ${shutdownMs} ms, to the exit (${kind})`, [took]);
    expect(took).toBeGreaterThanOrEqual(shutdownMs - 1);
    expect(took).toBeLessThan(boundMs);
    expect(running.find("orphans killed")).toMatchObject({ count: 1 });
  },
);

/** @returns ms from TERM to the exit of the supervisor and the end of what it and all others had written. */
async function stopAndTime(running: Running): Promise<number> {
  const grandchild = Number(readFileSync(join(running.folder, "grandchild"), "utf8"));
  const pids = [...pidsOf(linesOf(running, "worker ready")), grandchild];
  expect(pids.every(isAlive)).toBe(true);
  const start = performance.now();
  expect(await running.stop("SIGTERM")).toBe(0);
  const took = performance.now() - start;
  expect(pids.some(isAlive)).toBe(false);
  return took;
}

test("KILL of the worker itself leaves its grandchild to the stop, and its output to whoever has it", async () => {
  await using running = new Running(`${supervisor()}\n${programSet("it", stubbornInShell(""), settings)}`);
  const [worker] = await running.waitFor("worker ready");
  process.kill(Number(worker?.pid), "SIGKILL");
  await running.waitFor("worker ready", 2);
  await waitUntil(() => existsSync(join(running.folder, "grandchild")));
  expect(isAlive(Number(readFileSync(join(running.folder, "grandchild"), "utf8")))).toBe(true);
  expect(linesOf(running, "worker died")).toHaveLength(1);
});
