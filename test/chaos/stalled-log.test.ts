/** The reader of the log stalls, or goes, and a worker fills what it should have read: nothing else is to be noticed of it. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { argumentsOf, isAlive } from "../helpers/processes.ts";
import { Running, repository } from "../helpers/running.ts";
import { cmdline, supervisor } from "../helpers/settings.ts";
import { readLineOf, testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, endless, linesOf, pidsOf, programSet, rubySet } from "./fleet.ts";
import { type HealthReport, reportOf, setReportOf } from "./health-report.ts";
import { expectNoZombies, privateBytesOf } from "./resources.ts";
import { tell } from "./scale.ts";

setDefaultTimeout(3 * testTimeoutMs);

const megabyte = 1024 * 1024;
const printedBytes = 100 * megabyte;

/** Promised are 100 ms; a probe that had to wait for the reader would wait for ever. */
const promptMs = 2000;

/** The reader is a process of its own, no child of kleinhirn's, and hands the log on to the test. */
const strainer = join(repository, "test/fixtures/programs/strainer.rb");
const readByStrainer: readonly string[] = [
  "sh",
  "-c",
  `mkfifo log; ( ruby --disable-gems '${strainer}' strained < log >&2 & echo $! > reader ); exec "$@" 2> log`,
  "sh",
];

/** Neither a newline nor valid UTF-8 in any of it, and no regard for whether it is read. */
const printing = `
  KleinhirnLoader.ack
  sleep 0.005 until File.exist?("print")
  bytes = (0x80..0xff).map(&:chr).join.b * 8192
  ${printedBytes / megabyte}.times { $stderr.syswrite(bytes) }
  File.write("printed", "")
  sleep
`;

/** Once it has vanished, launches fail as fast as they can: some thousand events a second, each with a long path in it. */
const vanishing = "v".repeat(200);

const fleet = `${supervisor()}
  ${rubySet("printing", printing, "")}
  ${programSet("serving", "exec sleep 1000", `count = 4\n${endless}`)}
  [workers.flooding]
  type = "program"
  restart = { intensity = 1000000, period = "1s", backoff = "0s", backoff_max = "0s" }
  ${cmdline(`./${vanishing}`)}`;

const files = { ...application(), [vanishing]: "#!/bin/sh\nexec sleep 1000\n" };

test("a worker prints 100 MB without a newline and in no UTF-8 while the log's reader stalls: health, deaths and memory are as ever", async () => {
  await using running = new Running(fleet, { files, wrapper: readByStrainer });
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await running.waitFor("worker set running", 3);
  const memoryBefore = privateBytesOf(running.pid);
  process.kill(reader, "SIGSTOP");
  await Bun.write(join(running.folder, "print"), "");
  // "Ready" may come a moment before the exec.
  const [flooder] = pidsOf(linesOf(running, "worker ready", "flooding"));
  await waitUntil(() => argumentsOf(Number(flooder))[0] === "sleep");
  rmSync(join(running.folder, vanishing));
  process.kill(Number(flooder), "SIGKILL");
  const latencies = await watchUntil(running, (report) => launchesOf(report) > 8000);
  await killServing(running, 20);
  tell("health answers while the log's reader stalls", latencies);
  expect(Math.max(...latencies)).toBeLessThan(promptMs);
  expect(privateBytesOf(running.pid) - memoryBefore).toBeLessThan(60 * megabyte);
  expect(running.find("log events dropped")).toBeUndefined();

  process.kill(reader, "SIGCONT");
  const [dropped] = await running.waitFor("log events dropped");
  expect(dropped?.level).toBe("warning");
  expect(dropped?.dropped).toBeGreaterThan(0);
  await waitUntil(() => Number(readFileSync(join(running.folder, "strained"), "utf8")) === printedBytes);
  expect((await setReportOf(running, "printing")).deaths).toBe(0);
  await expectNoZombies(running.pid);
  expect(await running.stop()).toBe(0);
  // Each line that is there is whole, though megabytes of another's came in between; ids are given in their order.
  const ids = linesOf(running, "worker launch failed").map(({ worker }) =>
    Number(String(worker).split("-")[1]),
  );
  expect(ids).toEqual(ids.toSorted((one, other) => one - other));
  const lost = linesOf(running, "log events dropped").reduce((sum, line) => sum + Number(line.dropped), 0);
  expect(ids.length + lost).toBeGreaterThan(8000);
  expect(running.lines.at(-1)).toMatchObject({ msg: "stopped" });
});

/** Asks for health again and again; @returns how long each answer took, in ms. */
async function watchUntil(running: Running, isDone: (report: HealthReport) => boolean): Promise<number[]> {
  const latencies: number[] = [];
  await waitUntil(async () => {
    const start = performance.now();
    const report = await reportOf(running);
    latencies.push(performance.now() - start);
    return isDone(report);
  });
  return latencies;
}

function deathsOf({ sets }: HealthReport, set: string): number {
  return sets.find(({ name }) => name === set)?.deaths ?? 0;
}

/** Launches are numbered, and the number is a part of a worker's id. */
function launchesOf({ sets }: HealthReport): number {
  return Math.max(...sets.flatMap(({ workers }) => workers).map(({ id }) => Number(id.split("-")[1] ?? 0)));
}

/** Their deaths are seen and they are replaced, one after the other, as health says; the log can't. */
async function killServing(running: Running, times: number): Promise<void> {
  for (let deaths = 1; deaths <= times; deaths += 1) {
    const { workers } = await setReportOf(running, "serving");
    const victim = Number(workers[deaths % workers.length]?.pid);
    process.kill(victim, "SIGKILL");
    await waitUntil(async () => {
      const report = await setReportOf(running, "serving");
      return (
        report.deaths === deaths && report.ready === 4 && report.workers.every(({ pid }) => pid !== victim)
      );
    });
  }
}

test("the log's reader is gone for good: deaths are handled and a stop is a stop", async () => {
  await using running = new Running(fleet, { files, wrapper: readByStrainer });
  const reader = Number(await readLineOf(join(running.folder, "reader")));
  await running.waitFor("worker set running", 3);
  process.kill(reader, "SIGKILL");
  await waitUntil(() => !isAlive(reader));
  await killServing(running, 10);
  // Who writes into a pipe that nobody reads gets SIGPIPE (pipe(7)): with default dispositions, that is the worker's death.
  await Bun.write(join(running.folder, "print"), "");
  await watchUntil(running, (report) => deathsOf(report, "printing") > 2);
  await expectNoZombies(running.pid);
  expect(await running.stop()).toBe(0);
});
