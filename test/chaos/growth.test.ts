/** Neither descriptors nor memory grow with the number of restarts (specification section 4). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { descriptorsOf } from "../helpers/processes.ts";
import { Running } from "../helpers/running.ts";
import { ackByDescriptor, cmdline, supervisor } from "../helpers/settings.ts";
import { testTimeoutMs, waitUntil } from "../helpers/wait.ts";
import { application, endless, holdersOf, linesOf, programSet, rubySet } from "./fleet.ts";
import { countDescriptors, expectNoZombies, privateBytesOf } from "./resources.ts";
import { scale } from "./scale.ts";

setDefaultTimeout(10 * testTimeoutMs);

const megabyte = 1024 * 1024;

/** Dies as long as there is the file `die`, and holds otherwise. */
const fleet = `${supervisor()}
  ${programSet("exec", `${ackByDescriptor}; [ -e die ] && exit 1; exec sleep 1000`, `count = 4\nack = "message"\n${endless}`)}
  ${rubySet("ruby", 'KleinhirnLoader.ack; File.exist?("die") ? exit!(1) : exec("sleep", "1000")', `count = 4\n${endless}`)}`;

async function calmDown(running: Running): Promise<void> {
  rmSync(join(running.folder, "die"), { force: true });
  await waitUntil(() => holdersOf(running).length === 8);
}

/** Kills those that hold, and lets their successors die until so many have. */
async function restart(running: Running, times: number): Promise<void> {
  const diedOf = (set: string) => linesOf(running, "worker died", set).length;
  const before = { exec: diedOf("exec"), ruby: diedOf("ruby") };
  writeFileSync(join(running.folder, "die"), "");
  for (const pid of holdersOf(running)) process.kill(pid, "SIGKILL");
  await waitUntil(
    () => diedOf("exec") >= before.exec + times && diedOf("ruby") >= before.ruby + times,
    () => `${times} deaths in each set, there are ${diedOf("exec")} and ${diedOf("ruby")}`,
  );
  await calmDown(running);
}

test("descriptors of the supervisor: flat over 1,000 restarts, exec and Ruby", async () => {
  await using running = new Running(fleet, { files: application() });
  await calmDown(running);
  const before = descriptorsOf(running.pid);
  const preloader = Number(running.find("preloader ready")?.pid);
  const beforeInPreloader = countDescriptors(preloader);
  await restart(running, 500);
  await waitUntil(
    // An ack's connection may just have been on its way out when they were counted before.
    () => countDescriptors(running.pid) <= Object.keys(before).length,
    () => `no more descriptors than ${JSON.stringify(before)}: ${JSON.stringify(descriptorsOf(running.pid))}`,
  );
  // Its forked process in waiting, if it keeps one, may be on its way.
  await waitUntil(() => countDescriptors(preloader) <= beforeInPreloader + 2);
  await expectNoZombies(running.pid);
});

test("descriptors of a worker: only those of the specification, in the middle of restarts, connections and all", async () => {
  await using running = new Running(fleet, { files: application(), stdio: ["pipe", "pipe"] });
  await calmDown(running);
  const port = Number(new URL(String(running.find("health server listening")?.url)).port);
  const sockets = await Promise.all(
    Array.from({ length: 20 }, () => Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })),
  );
  await restart(running, 20);
  const pids = holdersOf(running);
  expect(pids).toHaveLength(8);
  const programs = new Set(linesOf(running, "worker launched", "exec").map(({ pid }) => Number(pid)));
  for (const pid of pids) {
    const { 0: input, 1: output, 2: errors, ...others } = descriptorsOf(pid);
    expect(input).toBe("/dev/null");
    expect([output, errors]).toEqual([descriptorsOf(running.pid)[1], descriptorsOf(running.pid)[2]]);
    // Beside these three the ack descriptor of a program, and nothing else.
    expect(Object.values(others).map((target) => target.replace(/\d+/, "N"))).toEqual(
      programs.has(pid) ? ["socket:[N]"] : [],
    );
  }
  for (const socket of sockets) socket.end();
});

/** Each line is looked at once: there are many. */
function countDeaths({ lines }: Running): () => number {
  let read = 0;
  let deaths = 0;
  return () => {
    for (; read < lines.length; read += 1) if (lines[read]?.msg === "worker died") deaths += 1;
    return deaths;
  };
}

test("memory of the supervisor: flat over 10,000 restarts", async () => {
  await using running = new Running(
    `${supervisor().replace('level = "debug"', 'level = "warning"')}
    [workers.exec]
    type = "program"
    count = 8
    restart = { intensity = 1000000, period = "1s", backoff = "0s", backoff_max = "0s" }
    ${cmdline("true")}`,
  );
  const restarts = countDeaths(running);
  const readings: number[] = [];
  // The first thousands fill the allocator's pools and let the compiler see what is hot.
  for (let after = 2000; after <= scale(10_000, 100_000); after += 2000) {
    await waitUntil(
      () => restarts() >= after,
      () => `${after} restarts`,
    );
    readings.push(privateBytesOf(running.pid) / megabyte);
  }
  console.log(
    `private memory of the supervisor after each 2,000 restarts: ${readings.map((one) => one.toFixed(1))} MB`,
  );
  const [first = 0] = readings;
  expect(Math.max(...readings) - first).toBeLessThan(scale(12, 20));
});
