/**
 * How fast each form of kleinhirn starts, and what its supervisor then holds: the source tree, the script for Bun, the
 * binary (script/build makes both), and whatever programs are named.
 *
 *     bun bench/start.ts [--rounds N] [PROGRAM…]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "../script/lib/repository-files.ts";
import { memoryOf } from "./proc.ts";
import { median, p95 } from "./statistics.ts";

type Entrant = {
  readonly name: string;
  readonly command: readonly string[];
  /** Milliseconds from just before the start to the end of `--version`. */
  readonly version: number[];
  /** Milliseconds of processor time of it. */
  readonly processor: number[];
  /** Milliseconds from just before the start until the log says that the health server listens. */
  readonly listening: number[];
  /** Kilobytes of the supervisor of one `sleep`, some time after that worker was ready. */
  readonly privateDirty: number[];
};

/** Long enough for the collection of garbage that follows a launch. */
const settleMs = 1000;
/** Of the memory, which hardly varies, every so manieth round takes a sample: each has to settle. */
const memoryEvery = 4;

function enter(program: string): Entrant {
  const command = /\.[jt]s$/.test(program) ? [process.execPath, program] : [program];
  const name = relative(repositoryRoot, program);
  return { name, command, version: [], processor: [], listening: [], privateDirty: [] };
}

function sampleVersion({ command, version, processor }: Entrant): void {
  const begun = performance.now();
  const { exitCode, resourceUsage } = Bun.spawnSync([...command, "--version"]);
  version.push(performance.now() - begun);
  if (exitCode !== 0) throw new Error(`${command.join(" ")} --version ended with ${exitCode}`);
  processor.push(Number(resourceUsage.cpuTime.total) / 1000);
}

async function sampleRun(entrant: Entrant, file: string, withMemory: boolean): Promise<void> {
  const begun = performance.now();
  const child = Bun.spawn([...entrant.command, "run", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  let isListening = false;
  const decoder = new TextDecoder();
  for await (const bytes of child.stderr) {
    log += decoder.decode(bytes, { stream: true });
    if (!isListening && log.includes("health server listening")) {
      isListening = true;
      entrant.listening.push(performance.now() - begun);
    }
    if (log.includes("worker set running")) break;
  }
  if (withMemory) {
    await Bun.sleep(settleMs);
    entrant.privateDirty.push(memoryOf(child.pid).privateDirty);
  }
  child.kill("SIGTERM");
  if ((await child.exited) !== 0) throw new Error(`${entrant.name} did not stop well:\n${log}`);
}

async function measure(entrants: readonly Entrant[], rounds: number, file: string): Promise<void> {
  // In the page cache, and on the disk: what is yet to be written counts as dirty, also of a program's file.
  for (const { command } of entrants) Bun.spawnSync([...command, "--version"]);
  Bun.spawnSync(["sync", ...entrants.flatMap(({ command }) => command)]);
  for (let round = 0; round < rounds; round += 1) {
    for (const entrant of entrants) {
      sampleVersion(entrant);
      await sampleRun(entrant, file, round % memoryEvery === 0);
    }
  }
}

function report(entrants: readonly Entrant[]): string {
  const number = (value: number) => value.toFixed(1);
  const rows = entrants.map(({ name, version, processor, listening, privateDirty }) => [
    name,
    ...[version, listening].flatMap((times) => [Math.min(...times), median(times), p95(times)].map(number)),
    number(median(processor)),
    (median(privateDirty) / 1024).toFixed(2),
  ]);
  const head = ["", "--version: min", "median", "p95", "listening: min", "median", "p95"];
  const table = [
    [...head, "processor, median", "private dirty, MB"],
    [...head, "", ""].map(() => "---"),
    ...rows,
  ];
  return table.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "40" } },
  allowPositionals: true,
});
const own = ["kleinhirn.ts", "dist/kleinhirn.js", "dist/kleinhirn"].map((name) => join(repositoryRoot, name));
const entrants = [...own, ...positionals].map(enter);
const folder = mkdtempSync(join(tmpdir(), "kleinhirn-bench-"));
try {
  const file = join(folder, "kleinhirn.toml");
  const sleeper = `[worker]\ntype = "program"\ncmdline = ["sleep", "1000000"]\n`;
  const health = `[health_check]\nlisten_addr = "unix:${folder}/health"\n`;
  writeFileSync(file, `[supervisor]\nname = "bench"\nsocket = "${folder}/socket"\n${health}${sleeper}`);
  await measure(entrants, Number(values.rounds), file);
  console.log(report(entrants));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
