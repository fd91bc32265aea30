/** Tests wait for conditions. The bound only keeps a failing test from hanging; a busy machine never reaches it. */
const boundMs = 60_000;
const lookEveryMs = 5;

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
