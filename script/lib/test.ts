/** The heart of script/test: runs every check and test, and ends with the sum of what they counted. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { listChildren } from "../../src/system/process-table.ts";
import { becomeSubreaper } from "../../src/system/subreaper.ts";
import { addCounts, type Counts, formatCounts, noCounts, settleCounts } from "./counts.ts";
import { isAlive, listDescendants, readTitle, reapOrphans, signalIfThere, waitFor } from "./processes.ts";
import { repositoryRoot } from "./repository-files.ts";
import { listBinaryRunners, listRunners, type Runner } from "./runners.ts";

const runnerTimeoutMs = (process.env.KLEINHIRN_DEEP === "1" ? 60 : 10) * 60_000;
const logFolder = join(repositoryRoot, ".tools", "logs");

// Whatever a runner leaves behind becomes our child, so that nothing escapes unseen.
becomeSubreaper();
mkdirSync(logFolder, { recursive: true });

// Given up: what runs now runs in sessions of its own, where neither this signal nor its cause reaches it.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => {
    for (const pid of listDescendants(process.pid)) signalIfThere(pid, "SIGKILL");
    process.exit(128 + number);
  });
}

const started = performance.now();
let total = noCounts;
const runners = process.env.KLEINHIRN_BINARY ? listBinaryRunners() : listRunners();
for (const runner of runners) total = addCounts(total, await run(runner));

console.log(`\nall of it took ${seconds(started)}`);
if (total.skipped > 0) console.log(`skipped, as this machine or a plain run can't: ${total.skipped}`);
// Plain, whatever was skipped: this line is what others read.
console.log(formatCounts({ ...total, skipped: 0 }));
process.exitCode = total.failed > 0 ? 1 : 0;

async function run(runner: Runner): Promise<Counts> {
  const start = performance.now();
  process.stdout.write(`${runner.name} `);
  const ticker = setInterval(() => process.stdout.write("."), 1000);
  const log = join(logFolder, `test-${runner.name.replaceAll(/[^a-z]+/g, "-")}.log`);
  const { exitedWell, remark } = await execute(runner, log);
  const strays = await findStrays();
  clearInterval(ticker);

  const output = await Bun.file(log).text();
  const settled = settleCounts(runner.readCounts(output, exitedWell), exitedWell);
  const counts = strays.length > 0 ? addCounts(settled, { ...noCounts, failed: 1 }) : settled;
  console.log(` ${formatCounts(counts)} (${seconds(start)})`);
  if (counts.failed > 0) {
    console.log(`\n--- ${runner.name}: ${runner.command.join(" ")}\n${output}`);
    for (const line of [...remark, ...strays]) console.log(`--- ${runner.name}: ${line}`);
    console.log("");
  }
  return counts;
}

async function execute(runner: Runner, log: string): Promise<{ exitedWell: boolean; remark: string[] }> {
  // Both streams through one descriptor, so that the file has them in order.
  const output = openSync(log, "w");
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([...runner.command], {
      cwd: join(repositoryRoot, runner.folder),
      env: { ...process.env, ...runner.environment },
      stdio: ["ignore", output, output],
    });
  } catch (error) {
    return { exitedWell: false, remark: [`could not be started: ${String(error)}`] };
  } finally {
    closeSync(output);
  }
  const overdue = setTimeout(() => {
    for (const pid of [...listDescendants(child.pid), child.pid]) signalIfThere(pid, "SIGKILL");
  }, runnerTimeoutMs);
  const reaping = setInterval(() => reapOrphans(child.pid), 50);
  await child.exited;
  clearInterval(reaping);
  clearTimeout(overdue);
  const { exitCode, signalCode } = child;
  if (exitCode === 0) return { exitedWell: true, remark: [] };
  const late = signalCode === "SIGKILL" ? `, perhaps after its ${runnerTimeoutMs / 60_000} minutes` : "";
  return { exitedWell: false, remark: [`ended with ${signalCode ?? `status ${exitCode}`}${late}`] };
}

/** Names and kills the processes that a runner left behind; those that are just about to end may do so. */
async function findStrays(): Promise<string[]> {
  const living = () => listChildren().filter(isAlive);
  try {
    await waitFor("the last processes to end", 3000, () => living().length === 0);
    return [];
  } catch {
    const strays = living();
    const lines = strays.map((pid) => `left behind: process ${pid}, ${readTitle(pid)}`);
    for (const pid of strays.flatMap((stray) => [...listDescendants(stray), stray]))
      signalIfThere(pid, "SIGKILL");
    return lines;
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
