/** Life as PID 1 of a container: the kernel has no default actions for it, and hands it every orphan (pid_namespaces(7)). */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { signalIfThere } from "../../script/lib/processes.ts";
import { readProcessStat } from "../../src/system/process-table.ts";
import { catches, childrenOf, isAlive, signalMasksOf } from "../helpers/processes.ts";
import { Running, type StartOptions } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, linesOf, programSet, rubySet } from "./fleet.ts";
import { LogAudit } from "./log-audit.ts";
import { namespacePidOf, zombiesOf } from "./resources.ts";
import { scale, tell } from "./scale.ts";

setDefaultTimeout(3 * testTimeoutMs);

const mayUnshare = Bun.spawnSync(["unshare", "--pid", "--fork", "--mount-proc", "true"]).exitCode === 0;
if (!mayUnshare) console.warn("Not permitted to make a pid namespace: life as PID 1 is not tested here.");

const asPid1: StartOptions = {
  wrapper: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
  files: application(),
};

const term = 15;
const handlerAfterMs: number[] = [];
const exitTimesMs: number[] = [];
afterAll(() => {
  if (!mayUnshare) return;
  tell("as PID 1: from its birth to its handler for TERM", handlerAfterMs);
  tell("as PID 1: from the first TERM to the exit", exitTimesMs);
});

/** Its pid as we see it; it is 1 for itself. Looks without a pause: every millisecond counts. */
function findPid1(running: Running): number {
  const giveUpAt = performance.now() + testTimeoutMs;
  while (performance.now() < giveUpAt) {
    const [child] = childrenOf(running.pid);
    if (child !== undefined) return child;
  }
  throw new Error("unshare has started nothing");
}

const sleepers = `${supervisor()}
  ${programSet("exec", "exec sleep 1000", "count = 4")}
  ${rubySet("ruby", "KleinhirnLoader.ack; sleep", "count = 2")}`;

describe.skipIf(!mayUnshare)("under unshare --pid as PID 1", () => {
  test("TERM from the first millisecond of our own works: as soon as there is a handler", async () => {
    for (let start = 0; start < scale(15, 200); start += 1) {
      await using running = new Running(sleepers, asPid1);
      const pid = findPid1(running);
      const bornAt = performance.now();
      while (isAlive(pid) && !catches(pid, term));
      handlerAfterMs.push(performance.now() - bornAt);
      const sentAt = performance.now();
      process.kill(pid, "SIGTERM");
      expect(await running.exited()).toBe(0);
      exitTimesMs.push(performance.now() - sentAt);
      expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
      expect(new LogAudit(running.lines, { exec: 4, ruby: 2 }).living()).toEqual([]);
    }
  });

  test("TERM each millisecond from its birth on: it ends at once, and nothing is launched", async () => {
    const outcomes: string[] = [];
    for (let start = 0; start < scale(15, 200); start += 1) {
      await using running = new Running(sleepers, asPid1);
      const pid = findPid1(running);
      while (isAlive(pid)) {
        // It may end between the look and the signal.
        signalIfThere(pid, "SIGTERM");
        await Bun.sleep(1);
      }
      const code = await running.exited();
      outcomes.push(running.lines.length === 0 ? "before anything" : String(code));
      expect(running.find("worker launched")).toBeUndefined();
    }
    // While Bun starts, before any code of ours runs, a signal is lost or, now and then, deadly.
    expect(new Set(outcomes).isSubsetOf(new Set(["0", "before anything"]))).toBe(true);
    expect(outcomes).toContain("0");
  });

  test("1,000 orphans leave no zombie", async () => {
    const orphans = 1000;
    await using running = new Running(
      `${supervisor()}
      ${rubySet("ruby", `${orphans}.times { |n| Process.wait(fork { fork { sleep(n % 7 / 1000.0); exit!(n % 3) }; exit!(0) }) }; KleinhirnLoader.ack; sleep`, "")}
      ${programSet("exec", `${ackByDescriptor}; exec sleep 1000`, 'ack = "message"')}`,
      asPid1,
    );
    const pid = findPid1(running);
    await running.waitFor("worker set running", 2);
    const reaped = () =>
      linesOf(running, "orphans reaped").reduce((sum, { count }) => sum + Number(count), 0);
    await waitUntil(() => reaped() >= orphans);
    await waitUntil(() => zombiesOf(pid).length === 0);
    expect(reaped()).toBe(orphans);
    expect(running.find("worker died")).toBeUndefined();
    expect(linesOf(running, "orphans reaped").length).toBeLessThan(100);
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });

  test("dispositions and masks of workers are the defaults", async () => {
    await using running = new Running(sleepers, asPid1);
    const pid = findPid1(running);
    await running.waitFor("worker set running", 2);
    const preloader = childrenOf(pid).find((child) => nameOf(child, running) === "preloader") ?? 0;
    const workers = childrenOf(pid).filter((child) => nameOf(child, running) === "worker");
    expect(workers).toHaveLength(6);
    // A Ruby has handlers of its own: those of one that nobody supervises are what a worker may have.
    const plain = Bun.spawn(["ruby", "-e", "puts; $stdout.flush; sleep"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await plain.stdout.getReader().read();
    const usual = signalMasksOf(plain.pid);
    plain.kill("SIGKILL");
    await plain.exited;
    for (const worker of [preloader, ...workers]) {
      await waitUntil(() => ["S", "R"].includes(readProcessStat(worker)?.state ?? ""));
      const { blocked, ignored, caught } = signalMasksOf(worker);
      expect({ blocked, ignored }).toEqual({ blocked: 0n, ignored: 0n });
      expect([0n, usual.caught]).toContain(caught);
    }
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
  });
});

/** By the pid that it has in its own namespace, which is what the log knows. */
function nameOf(pid: number, running: Running): "worker" | "preloader" | undefined {
  const inside = namespacePidOf(pid);
  if (running.find((line) => line.msg === "worker ready" && line.pid === inside) !== undefined)
    return "worker";
  if (running.find((line) => line.msg === "preloader ready" && line.pid === inside) !== undefined)
    return "preloader";
  return undefined;
}
