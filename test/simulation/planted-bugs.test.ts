/** The simulator finds bugs: each of the planted ones, within as many lives as `script/test` lives anyway. */
import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlantedBug, plantedBugs } from "./planted-bugs.ts";

const repository = join(import.meta.dir, "../..");
const mostLives = 4000;
const timeoutMs = 120_000;

/** What the simulation consists of; the dice are the core tests'. */
const needed = ["src", "test/simulation", "test/core/random"];

for (const bug of plantedBugs) {
  test(
    bug.about,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "kleinhirn-planted-"));
      try {
        for (const part of needed) cpSync(join(repository, part), join(folder, part), { recursive: true });
        plant(bug, folder);
        const { exitCode, output } = await simulate(folder);
        if (exitCode !== 1) throw new Error(`not found: ${output}`);
        console.log(
          `found by life ${/^\d+/.exec(output.replaceAll(",", ""))?.[0]}: ${output.trim().split("\n").at(-1)}`,
        );
        expect(exitCode).toBe(1);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    timeoutMs,
  );
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

async function simulate(folder: string): Promise<{ exitCode: number; output: string }> {
  const command = [process.execPath, join(folder, "test/simulation/run.ts"), "--quiet"];
  const bounds = ["--first-seed", "1", "--lives", String(mostLives)];
  const child = Bun.spawn([...command, ...bounds], { stdout: "pipe", stderr: "inherit" });
  const output = await child.stdout.text();
  return { exitCode: await child.exited, output };
}
