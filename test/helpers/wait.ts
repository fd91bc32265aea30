import { existsSync, readFileSync } from "node:fs";

/** Tests wait for conditions. The bound only keeps a failing test from hanging; a busy machine never reaches it. */
const boundMs = 60_000;
const lookEveryMs = 5;

/** For `setDefaultTimeout`, which holds for one file: longer than `waitUntil`, which says what was waited for. */
export const testTimeoutMs = 120_000;

export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  describe: () => string = () => String(condition),
): Promise<void> {
  const giveUpAt = performance.now() + boundMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/** What a worker's script has written, once it ends in a newline: `echo` writes a whole line at once. */
export async function readLineOf(file: string): Promise<string> {
  const read = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
  await waitUntil(
    () => read().endsWith("\n"),
    () => `a line in ${file}`,
  );
  return read().trimEnd();
}
