/** The simulator finds bugs: each of the planted ones, within as many lives as `script/test` lives anyway. */
import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlantedBug, plantedBugs } from "./planted-bugs.ts";

const repository = join(import.meta.dir, "../..");
const manyLives = ["--first-seed", "1", "--lives", "4000"];
const timeoutMs = 120_000;

/** What the simulation consists of; the dice are the core tests'. */
const needed = ["src", "test/simulation", "test/core/random"];

for (const bug of plantedBugs) {
  test(
    bug.about,
    async () => {
      using planted = new Planted(bug);
      const { exitCode, output } = await planted.simulate("--quiet", ...manyLives);
      if (exitCode !== 1) throw new Error(`not found: ${output}`);
      console.log(
        `found by life ${/^\d+/.exec(output.replaceAll(",", ""))?.[0]}: ${output.trim().split("\n").at(-1)}`,
      );
      expect(exitCode).toBe(1);
    },
    timeoutMs,
  );
}

test(
  "what is found is told: the promise, its seed in a command that finds it again, and fewer steps than it had",
  async () => {
    const [bug] = plantedBugs;
    if (bug === undefined) throw new Error("no bug is planted");
    using planted = new Planted(bug);
    const { exitCode, output } = await planted.simulate(...manyLives);
    expect(exitCode).toBe(1);
    const told =
      /^BROKEN: (.+)\nagain: bun test\/simulation\/run\.ts --seed (\d+)\nin (\d+) steps:\n([\s\S]+)$/m.exec(
        output,
      );
    const [, promise = "", seed = "", count, story = ""] = told ?? [];
    const steps = story.split("\n").filter((line) => /^ *\d+\.\d ms \S/.test(line));
    // The last of them is the end.
    expect(steps.pop()).toEndWith(`BROKEN: ${promise}`);
    expect(steps).toHaveLength(Number(count));
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.length).toBeLessThan(await planted.countSteps(seed));
    const again = await planted.simulate("--seed", seed);
    expect(again.exitCode).toBe(1);
    expect(again.output).toStartWith(`BROKEN: ${promise}\n`);
  },
  timeoutMs,
);

/** A copy of the simulation and of what it simulates, with a bug in it. */
class Planted {
  readonly folder = mkdtempSync(join(tmpdir(), "kleinhirn-planted-"));

  constructor(bug: PlantedBug) {
    for (const part of needed) cpSync(join(repository, part), join(this.folder, part), { recursive: true });
    plant(bug, this.folder);
  }

  simulate(...flags: string[]): Promise<{ exitCode: number; output: string }> {
    return run(join(this.folder, "test/simulation/run.ts"), ...flags);
  }

  /** Of the life of this seed as it was lived, before any step is left out. */
  async countSteps(seed: string): Promise<number> {
    const file = JSON.stringify(join(this.folder, "test/simulation/failure.ts"));
    const count = `import { record } from ${file}; console.log(record(${seed})?.steps.length)`;
    return Number((await run("--eval", count)).output);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function plant({ file, find, replace }: PlantedBug, folder: string): void {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  // The source has changed since the bug was written: plant it anew where the same mistake would be made now.
  expect(source.split(find)).toHaveLength(2);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
}

async function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const child = Bun.spawn([process.execPath, ...args], { stdout: "pipe", stderr: "inherit" });
  const output = await child.stdout.text();
  return { exitCode: await child.exited, output };
}
