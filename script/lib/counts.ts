/** What a runner's own summary says. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** Reads a runner's output; undefined when it has no summary: then the runner crashed before it. */
export type ReadCounts = (output: string, exitedWell: boolean) => Counts | undefined;

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 };

/** A failure that the runner's summary doesn't show: a crash before the summary, or an exit status that belies it. */
export function settleCounts(counts: Counts | undefined, exitedWell: boolean): Counts {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 1, skipped: 0 };
  return { passed, failed: exitedWell ? failed : Math.max(1, failed), skipped };
}

/** A linter or checker is one check, and its exit status is all that there is to know. */
export function readCheckCounts(_output: string, exitedWell: boolean): Counts {
  return exitedWell ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** ` 3 pass`, ` 0 fail`, ` 1 skip`, ` 1 todo`, ` 1 error` (outside any test), then `Ran 4 tests across 2 files.` */
export function readBunCounts(output: string): Counts | undefined {
  const text = withoutColours(output);
  const ran = lastMatch(text, /^Ran (\d+) tests? across \d+ files?\./gm);
  if (ran === undefined || Number(ran[1]) === 0) return undefined;
  // Tests print lines of their own: only what stands right before the last line counts.
  const summary = text.slice(0, ran.index).split("\n").slice(-8).join("\n");
  const number = (word: RegExp) => Number(lastMatch(summary, word)?.[1] ?? 0);
  return {
    passed: number(/^ *(\d+) pass$/gm),
    failed: number(/^ *(\d+) fail$/gm) + number(/^ *(\d+) errors?$/gm),
    skipped: number(/^ *(\d+) skip$/gm) + number(/^ *(\d+) todo$/gm),
  };
}

const minitestSummary = /^(\d+) runs, \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips$/gm;

export function readMinitestCounts(output: string): Counts | undefined {
  const found = lastMatch(withoutColours(output), minitestSummary);
  if (found === undefined) return undefined;
  const [runs = 0, failures = 0, errors = 0, skipped = 0] = found.slice(1).map(Number);
  if (runs === 0) return undefined;
  return { passed: runs - failures - errors - skipped, failed: failures + errors, skipped };
}

/** For a runner that ends well and says "skipped: REASON" on a line of its own where this machine can't run it. */
export function readSkippableCounts(read: ReadCounts): ReadCounts {
  return (output, exitedWell) =>
    exitedWell && /^skipped: \S/m.test(output)
      ? { passed: 0, failed: 0, skipped: 1 }
      : read(output, exitedWell);
}

/** The line that ends the output of script/test. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function lastMatch(text: string, pattern: RegExp): RegExpExecArray | undefined {
  return [...text.matchAll(pattern)].at(-1);
}

function withoutColours(text: string): string {
  return Bun.stripANSI(text).replaceAll("\r", "");
}
