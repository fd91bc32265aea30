/** The logger in a process of its own: what it does to descriptors that others share, and what is left when it exits. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { openPipe } from "./pipe.ts";

const fixture = join(import.meta.dir, "fixtures/log-and-exit.ts");
const nonBlocking = 0o4000;

// A busy machine may take its time; what hangs is found all the same.
setDefaultTimeout(60_000);

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function spawnLogging<Stderr extends number | "pipe">(args: readonly string[], stderr: Stderr) {
  const child = Bun.spawn([process.execPath, fixture, ...args], { stdio: ["ignore", "pipe", stderr] });
  cleanups.push(() => child.kill("SIGKILL"));
  return child;
}

function indexesOf(text: string): number[] {
  return [...text.matchAll(/^ts=\S+ level=info msg="worker ready" service=shop index=(\d+)$/gm)].map(
    ([, index]) => Number(index),
  );
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe("a process that logs and exits", () => {
  test("has lost nothing, and left the pipe as blocking as it was", async () => {
    const child = spawnLogging(["8000", "flush"], "pipe");
    const [log, flags] = await Promise.all([
      new Response(child.stderr).text(),
      new Response(child.stdout).text(),
    ]);
    expect(await child.exited).toBe(3);
    expect(indexesOf(log)).toEqual(upTo(8000));
    expect(Number.parseInt(flags, 8) & nonBlocking).toBe(0);
  });

  test("exits in spite of a reader that stalls, with a thread in the middle of a write", async () => {
    const pipe = openPipe();
    cleanups.push(() => pipe.close());
    const child = spawnLogging(["5000", "flush", "500"], pipe.writer);
    expect(await child.exited).toBe(3);
    const read = indexesOf(pipe.readAvailable());
    expect(read.length).toBeGreaterThan(0);
    expect(read).toEqual(upTo(read.length));
  });

  test("survives a reader that is gone: no SIGPIPE", async () => {
    const pipe = openPipe();
    cleanups.push(() => pipe.close());
    const child = spawnLogging(["5000", "flush"], pipe.writer);
    pipe.closeReader();
    expect(await child.exited).toBe(3);
    expect(child.signalCode).toBeNull();
  });

  test("says what it has to say when it crashes", async () => {
    const pipe = openPipe();
    cleanups.push(() => pipe.close());
    const child = spawnLogging(["200", "crash"], pipe.writer);
    expect(await child.exited).toBe(3);
    expect(indexesOf(pipe.readAvailable())).toEqual(upTo(200));
  });

  test("needs no more memory, however long the reader stalls", async () => {
    const pipe = openPipe();
    cleanups.push(() => pipe.close());
    const child = spawnLogging(["0", "memory"], pipe.writer);
    const grownMiB = Number((await new Response(child.stdout).text()).split("\n")[0]);
    expect(await child.exited).toBe(3);
    // The text of the second half's events alone is more than 18 MiB.
    expect(grownMiB).toBeLessThan(12);
  });

  test("speaks to a person on a terminal, and loses nothing there either", async () => {
    let screen = "";
    const decoder = new TextDecoder();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const child = Bun.spawn([process.execPath, fixture, "3000", "flush"], {
      terminal: {
        data: (_terminal, data) => {
          screen += decoder.decode(data, { stream: true });
        },
        exit: () => resolve(),
      },
    });
    cleanups.push(() => child.kill("SIGKILL"));
    expect(await child.exited).toBe(3);
    await closed;
    child.terminal?.close();
    const indexes = [...screen.matchAll(/^[\d:.]{12} info {5}worker ready +index=(\d+) service=shop\r$/gm)];
    expect(indexes.map(([, index]) => Number(index))).toEqual(upTo(3000));
  });
});
