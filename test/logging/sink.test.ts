import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSink } from "../../src/logging/sink.ts";
import { waitUntil } from "../helpers/wait.ts";
import { openPipe, type Pipe } from "./pipe.ts";

/** Far beyond what any flush here may take: reaching it is a failure. */
const neverMs = 30_000;

// A busy machine may take its time; what hangs is found all the same.
setDefaultTimeout(60_000);

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function pipe(flags = 0): Pipe {
  const opened = openPipe(flags);
  cleanups.push(() => opened.close());
  return opened;
}

/** 100 bytes with the newline, so that 40 of them are a batch. */
function line(index: number): string {
  return `line ${index} `.padEnd(99, ".");
}

function indexOf(text: string): number {
  return Number(/^line (\d+) \.+$/.exec(text)?.[1]);
}

describe("a file", () => {
  test("gets every line in order, and a flush waits for the last", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kleinhirn-sink-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "log");
    const fd = openSync(file, "w");
    cleanups.push(() => closeSync(fd));
    const sink = createSink({ fd });
    const lines = Array.from({ length: 5000 }, (_, index) => line(index));
    for (const text of lines) sink.write(text);
    await sink.flush(neverMs);
    expect(readFileSync(file, "utf8")).toBe(`${lines.join("\n")}\n`);
  });
});

describe("a reader that stalls", () => {
  test("loses the oldest, is told how many, and gets everything else whole and in order", async () => {
    const { writer, readAvailable } = pipe();
    const capacityBytes = 100_000;
    const sink = createSink({ fd: writer, capacityBytes });
    sink.describeDropped((count) => `dropped ${count}`);
    const total = 20_000;
    // As many as fill the pipe, so that the next write waits; and then far more than the buffer takes.
    for (let index = 0; index < 1000; index += 1) sink.write(line(index));
    await sink.flush(50);
    for (let index = 1000; index < total; index += 1) sink.write(line(index));
    let text = "";
    const last = `${line(total - 1)}\n`;
    await waitUntil(() => {
      text += readAvailable();
      return text.endsWith(last);
    });
    const received = text.trimEnd().split("\n");
    const notices = received.flatMap((entry, at) => (entry.startsWith("dropped ") ? [at] : []));
    expect(notices.length).toBe(1);
    let expected = 0;
    for (const entry of received) {
      if (entry.startsWith("dropped ")) expected += Number(entry.slice("dropped ".length));
      else expect(indexOf(entry)).toBe(expected++);
    }
    expect(expected).toBe(total);
    // Beyond the buffer there is only what is in the pipe and in the one write that waits.
    expect(text.length).toBeLessThan(capacityBytes + 65_536 + 2 * 4096);
    expect(text.length).toBeGreaterThan(capacityBytes);
  });

  test("doesn't hold the exit for longer than it may", async () => {
    const { writer, readAvailable } = pipe();
    const sink = createSink({ fd: writer });
    const total = 5000;
    for (let index = 0; index < total; index += 1) sink.write(line(index));
    await sink.flush(50);
    // It was the deadline that ended it, for the pipe holds but a part; and nothing was given up.
    let text = readAvailable();
    expect(text.length).toBeLessThan(total * 100);
    await waitUntil(() => {
      text += readAvailable();
      return text.length >= total * 100;
    });
    expect(text.trimEnd().split("\n").map(indexOf)).toEqual(
      Array.from({ length: total }, (_, index) => index),
    );
  });

  test("doesn't hold a crash", async () => {
    const { writer, readAvailable } = pipe();
    const sink = createSink({ fd: writer });
    for (let index = 0; index < 2000; index += 1) sink.write(line(index));
    await sink.flush(50);
    sink.flushNow();
    expect(readAvailable().length).toBeGreaterThan(0);
  });
});

describe("a reader that is gone", () => {
  test("is ignored, and no flush waits for it", async () => {
    const { writer, closeReader } = pipe();
    const sink = createSink({ fd: writer });
    closeReader();
    sink.write("nobody reads this");
    await sink.flush(neverMs);
    sink.write("nor this");
    sink.flushNow();
    await sink.flush(neverMs);
  });

  test("ends the write that waited for it", async () => {
    const { writer, closeReader } = pipe();
    const sink = createSink({ fd: writer });
    for (let index = 0; index < 2000; index += 1) sink.write(line(index));
    await sink.flush(20);
    closeReader();
    await sink.flush(neverMs);
  });

  test("may be a descriptor that isn't open", async () => {
    const { writer, close } = openPipe();
    close();
    const sink = createSink({ fd: writer });
    sink.write("nobody reads this");
    await sink.flush(neverMs);
  });
});

describe("a pipe that somebody made non-blocking", () => {
  test("gets everything, in order", async () => {
    const { writer, readAvailable } = pipe(constants.O_NONBLOCK);
    const sink = createSink({ fd: writer });
    const total = 5000;
    for (let index = 0; index < total; index += 1) sink.write(line(index));
    let text = "";
    await waitUntil(() => {
      text += readAvailable();
      return text.length >= total * 100;
    });
    expect(text.trimEnd().split("\n").map(indexOf)).toEqual(
      Array.from({ length: total }, (_, index) => index),
    );
  });
});

/** A write(2) that does what the test says, and remembers when it was called with what. */
function fakeWrite(outcome: (bytes: Uint8Array, call: number) => number | string) {
  const calls: { readonly text: string; readonly atMs: number }[] = [];
  let written = "";
  const write = (_fd: number, bytes: Uint8Array, callback: (error: Error | null, length: number) => void) => {
    calls.push({ text: Buffer.from(bytes).toString(), atMs: performance.now() });
    const result = outcome(bytes, calls.length);
    if (typeof result === "number") written += Buffer.from(bytes.subarray(0, result)).toString();
    const error = typeof result === "string" ? Object.assign(new Error(result), { code: result }) : null;
    setImmediate(() => callback(error, typeof result === "number" ? result : 0));
  };
  return { write, calls, written: () => written };
}

describe("write(2)", () => {
  test("gets whole lines, no more than the kernel writes in one piece", async () => {
    const fake = fakeWrite((bytes) => bytes.length);
    const sink = createSink({ fd: -1, write: fake.write });
    for (let index = 0; index < 100; index += 1) sink.write(line(index));
    sink.write("x".repeat(10_000));
    sink.write("short");
    await sink.flush(neverMs);
    expect(fake.calls.map(({ text }) => text.length)).toEqual([4000, 4000, 2000, 10_001, 6]);
    for (const { text } of fake.calls) expect(text).toEndWith("\n");
  });

  test("may take a part, or nothing", async () => {
    const fake = fakeWrite((bytes, call) => (call % 5 === 0 ? 0 : Math.min(bytes.length, 7)));
    const sink = createSink({ fd: -1, write: fake.write });
    sink.write("a line of some length");
    sink.write("and ünother");
    await sink.flush(neverMs);
    expect(fake.written()).toBe("a line of some length\nand ünother\n");
    // After nothing there is a pause, or it would be tried without end.
    expect(Number(fake.calls[5]?.atMs) - Number(fake.calls[4]?.atMs)).toBeGreaterThanOrEqual(9);
  });

  test.each(["ENOSPC", "EIO", "EAGAIN", "EDQUOT"])(
    "is tried again after %s, with pauses that grow",
    async (code) => {
      let isFull = true;
      const fake = fakeWrite((bytes) => (isFull ? code : bytes.length));
      const sink = createSink({ fd: -1, write: fake.write });
      sink.write("kept");
      await waitUntil(() => fake.calls.length >= 4);
      const [first, second, third, fourth] = fake.calls.map(({ atMs }) => atMs);
      expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(9);
      expect(Number(third) - Number(second)).toBeGreaterThanOrEqual(18);
      expect(Number(fourth) - Number(third)).toBeGreaterThanOrEqual(36);
      isFull = false;
      sink.write("and later events");
      await sink.flush(neverMs);
      expect(fake.written()).toBe("kept\nand later events\n");
    },
  );

  test("is tried again at once for a flush, however long the pause has grown", async () => {
    let isFull = true;
    const fake = fakeWrite((bytes) => (isFull ? "EAGAIN" : bytes.length));
    const sink = createSink({ fd: -1, write: fake.write });
    sink.write("kept");
    await waitUntil(() => fake.calls.length >= 5);
    // The last one's callback comes in the next turn, and with it a pause of 160 ms or more.
    await new Promise((resolve) => setImmediate(resolve));
    isFull = false;
    const before = fake.calls.length;
    const flushed = sink.flush(neverMs);
    expect(fake.calls.length).toBe(before + 1);
    await flushed;
    expect(fake.written()).toBe("kept\n");
  });

  test("says how many were dropped while the disk was full", async () => {
    let isFull = true;
    const fake = fakeWrite((bytes) => (isFull ? "ENOSPC" : bytes.length));
    const sink = createSink({ fd: -1, capacityBytes: 300, write: fake.write });
    sink.describeDropped((count) => `dropped ${count}`);
    sink.write("begun");
    await waitUntil(() => fake.calls.length >= 1);
    for (let index = 0; index < 10; index += 1) sink.write(line(index));
    isFull = false;
    await sink.flush(neverMs);
    expect(fake.written()).toBe(`begun\ndropped 7\n${[7, 8, 9].map((index) => `${line(index)}\n`).join("")}`);
  });

  test("is not called again once nobody will ever read", async () => {
    const fake = fakeWrite(() => "EPIPE");
    const sink = createSink({ fd: -1, write: fake.write });
    sink.write("one");
    await sink.flush(neverMs);
    sink.write("two");
    await sink.flush(neverMs);
    expect(fake.calls.length).toBe(1);
  });
});

describe("a full device", () => {
  test("harms nobody", async () => {
    const fd = openSync("/dev/full", "w");
    cleanups.push(() => closeSync(fd));
    const sink = createSink({ fd });
    for (let index = 0; index < 100; index += 1) sink.write(line(index));
    await sink.flush(20);
    sink.flushNow();
  });
});

describe("a crash", () => {
  test("has written what it had to say before the next thing happens", () => {
    const { writer, readAvailable } = pipe();
    const sink = createSink({ fd: writer });
    for (let index = 0; index < 100; index += 1) sink.write(line(index));
    sink.flushNow();
    expect(readAvailable().trimEnd().split("\n").map(indexOf)).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  test("leaves to the thread what the thread is writing", async () => {
    const { writer, readAvailable } = pipe();
    const sink = createSink({ fd: writer });
    sink.write("with the thread");
    await Promise.resolve();
    sink.write("after it");
    sink.flushNow();
    await sink.flush(neverMs);
    expect(readAvailable().split("\n").sort()).toEqual(["", "after it", "with the thread"]);
  });

  test("says nothing twice", async () => {
    const { writer, readAvailable } = pipe();
    const sink = createSink({ fd: writer });
    sink.write("before");
    sink.flushNow();
    sink.write("after");
    await sink.flush(neverMs);
    expect(readAvailable()).toBe("before\nafter\n");
  });
});
