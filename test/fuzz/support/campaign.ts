/** How much hostile input there is, and where it comes from: one seed a run, printed, so that one command brings it again. */
import type { Parameters } from "fast-check";
import { isDeep } from "../../helpers/deep.ts";

/** Of everything that is drawn in the run. */
export const seed = readSeed(process.env.KLEINHIRN_FUZZ_SEED);

/** In a test file's first lines. @param file from the repository's root, as the command wants it. */
export function announce(file: string): void {
  const deep = isDeep ? "KLEINHIRN_DEEP=1 " : "";
  console.log(
    `fuzz seed ${seed}; the same input again: ${deep}KLEINHIRN_FUZZ_SEED=${seed} bun test ./${file}`,
  );
}

export function plainOrDeep(plain: number, deep: number): number {
  return isDeep ? deep : plain;
}

/** For `fc.assert`, which adds the shrunk counterexample and its path to what it throws. */
export function runs<T>(plain: number, deep: number): Parameters<T> {
  // fast-check's seeds are signed.
  return { seed: seed | 0, numRuns: plainOrDeep(plain, deep) };
}

export function say(text: string): void {
  console.log(`  ${text}`);
}

/** Seconds of the processor that this process has used since; on a busy machine the clock says something else. */
export function startProcessorTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
}

/** `1,234,567` */
export function grouped(count: number): string {
  return Math.round(count).toLocaleString("en");
}

function readSeed(text: string | undefined): number {
  if (text === undefined || text === "") return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
  if (!/^\d{1,10}$/.test(text))
    throw new Error(`KLEINHIRN_FUZZ_SEED must be a whole number from 0 to 2^32 - 1, not "${text}"`);
  return Number(text) >>> 0;
}
