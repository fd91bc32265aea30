/** Deaths, many at once: none is lost, none is invented, none is taken for another's. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readProcessStat } from "../../src/system/process-table.ts";
import { argumentsOf, childrenOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, endless, holdersOf, linesOf, othersOf, pidsOf, programSet, rubySet } from "./fleet.ts";
import { reportOf, setReportOf } from "./health-report.ts";
import { LogAudit } from "./log-audit.ts";
import { expectNoZombies } from "./resources.ts";
import { scale } from "./scale.ts";

setDefaultTimeout(2 * testTimeoutMs);

test("a worker acks and exits at once, 500 times: as many reaped as launched, no phantom worker, every death counted", async () => {
  const deaths = 500;
  const counts = { exec: 4, ruby: 4 };
  await using running = new Running(
    `${supervisor()}
    ${programSet("exec", `[ -e hold ] && exec sleep 1000; ${ackByDescriptor}; exit 0`, `count = 4\nack = "message"\n${endless}`)}
    ${rubySet("ruby", 'exec "sleep", "1000" if File.exist?("hold"); KleinhirnLoader.ack', `count = 4\n${endless}`)}`,
    { files: application() },
  );
  const diedOf = (set: string) => linesOf(running, "worker died", set).length;
  await waitUntil(() => diedOf("exec") >= deaths && diedOf("ruby") >= deaths);
  writeFileSync(join(running.folder, "hold"), "");
  await waitUntil(() => holdersOf(running).length === 8);
  const audit = () => new LogAudit(running.lines, counts);
  const living = () =>
    audit()
      .living()
      .map(({ pid }) => Number(pid));
  // The log comes through a pipe, a moment later.
  await waitUntil(() => Bun.deepEquals(living().toSorted(), holdersOf(running).toSorted()));
  expect(audit().violations).toEqual([]);
  expect(othersOf(running, holdersOf(running)).length).toBeLessThanOrEqual(1);
  for (const set of ["exec", "ruby"]) {
    expect((await setReportOf(running, set)).deaths).toBe(diedOf(set));
    expect(linesOf(running, "worker launched", set)).toHaveLength(diedOf(set) + 4);
  }
  await expectNoZombies(running.pid);
  expect(await running.stop()).toBe(0);
  expect(new LogAudit(running.lines, counts).living()).toEqual([]);
});

test("the supervisor is stopped, fifty workers are killed, it is continued: fifty deaths in the log, no zombie", async () => {
  const settings = "count = 25\nrestart = { intensity = 1000 }";
  await using running = new Running(
    `${supervisor()}
    ${programSet("exec", "exec sleep 1000", settings)}
    ${rubySet("ruby", "KleinhirnLoader.ack; sleep", settings)}`,
    { files: application() },
  );
  await running.waitFor("worker set running", 2);
  const victims = pidsOf(linesOf(running, "worker ready"));
  running.signal("SIGSTOP");
  await waitUntil(() => readProcessStat(running.pid)?.state === "T");
  for (const pid of victims) process.kill(pid, "SIGKILL");
  await waitUntil(() => victims.every((pid) => readProcessStat(pid)?.state === "Z"));
  running.signal("SIGCONT");
  await running.waitFor("worker ready", 100);
  const died = linesOf(running, "worker died");
  expect(pidsOf(died).toSorted()).toEqual(victims.toSorted());
  expect(died.every(({ exit }) => exit === "signal KILL")).toBe(true);
  await expectNoZombies(running.pid);
  expect((await reportOf(running)).sets.map(({ ready, deaths }) => [ready, deaths])).toEqual([
    [25, 25],
    [25, 25],
  ]);
});

test("a worker orphans a hundred children while another exits with 37: no restart for orphans, 37 in the log, no flood", async () => {
  const orphans = scale(100, 1000);
  // The worker that leaves is the last writer of the fifo that they all wait for: everybody exits at one time.
  await using running = new Running(
    `${supervisor()}
    ${rubySet(
      "parent",
      `
      ${orphans}.times { fork { fork { $0 = "orphan"; File.open("gate", "r").read; exit!(3) }; exit!(0) }; Process.wait }
      KleinhirnLoader.ack
      sleep
      `,
      "",
    )}
    ${rubySet(
      "leaver",
      `
      if File.exist?("left") then KleinhirnLoader.ack; sleep end
      gate = File.open("gate", "w")
      KleinhirnLoader.ack
      sleep 0.005 until File.exist?("leave")
      File.write("left", "")
      exit! 37
      `,
      "",
    )}`,
    { files: application('File.mkfifo("gate")') },
  );
  await running.waitFor("worker ready", 2);
  const waiting = () => childrenOf(running.pid).filter((pid) => argumentsOf(pid)[0] === "orphan").length;
  await waitUntil(() => waiting() === orphans);
  writeFileSync(join(running.folder, "leave"), "");
  const reports = () => linesOf(running, "orphans reaped");
  await waitUntil(() => reports().reduce((sum, { count }) => sum + Number(count), 0) >= orphans);
  await running.waitFor("worker ready", 3);
  expect(linesOf(running, "worker died")).toEqual([
    expect.objectContaining({ set: "leaver", exit: "status 37", asked: false }),
  ]);
  expect(linesOf(running, "worker launched")).toHaveLength(3);
  // The processes in the middle were reaped by their parent, so all of these are orphans: a line a second, not one for each.
  expect(reports().reduce((sum, { count }) => sum + Number(count), 0)).toBe(orphans);
  expect(reports().length).toBeLessThan(orphans / 10);
  expect(reports().every(({ level }) => level === "debug")).toBe(true);
  await expectNoZombies(running.pid);
});

test.each([0, 7])(
  "a worker that dies just after each ack: faults at exactly intensity + 1 (%d)",
  async (intensity) => {
    const settings = `restart = { intensity = ${intensity}, backoff = "1ms", backoff_max = "1ms" }`;
    await using running = new Running(
      `${supervisor()}
    ${programSet("exec", `${ackByDescriptor}; exit 1`, `ack = "message"\n${settings}`)}
    ${programSet("three", `${ackByDescriptor}; exit 1`, `ack = "message"\ncount = 3\n${settings}`)}
    ${rubySet("ruby", "KleinhirnLoader.ack; exit!(1)", settings)}`,
      { files: application() },
    );
    await running.waitFor("worker set faulted", 3);
    for (const set of ["exec", "ruby"]) {
      expect(linesOf(running, "worker died", set)).toHaveLength(intensity + 1);
      expect(linesOf(running, "worker launched", set)).toHaveLength(intensity + 1);
      expect(await setReportOf(running, set)).toMatchObject({ state: "faulted", deaths: intensity + 1 });
    }
    // Its siblings may still be there when one death too many faults the set: they die later, and nobody follows them.
    const of = running.lines.filter(({ set }) => set === "three").map(({ msg }) => msg);
    const faultedAt = of.indexOf("worker set faulted");
    expect(of.slice(0, faultedAt).filter((msg) => msg === "worker died")).toHaveLength(intensity + 1);
    expect(of.slice(faultedAt)).not.toContain("worker launched");
    expect(await running.stop()).toBe(0);
    expect(new LogAudit(running.lines, { exec: 1, three: 3, ruby: 1 }).violations).toEqual([]);
  },
);
