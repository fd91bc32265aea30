import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A pipe of which the test holds both ends. Its writing end blocks, as that of a container's log does. */
export type Pipe = {
  readonly writer: number;
  /** What is in the pipe now; empty when there is nothing. */
  readAvailable(): string;
  closeReader(): void;
  close(): void;
};

export function openPipe(writerFlags = 0): Pipe {
  const folder = mkdtempSync(join(tmpdir(), "kleinhirn-pipe-"));
  const path = join(folder, "pipe");
  const made = Bun.spawnSync(["mkfifo", path]);
  if (!made.success) throw new Error(`mkfifo: ${made.stderr}`);
  // The reader first: the open of a writer waits for one.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | writerFlags);
  rmSync(folder, { recursive: true });
  const decoder = new TextDecoder();
  let isReading = true;
  return {
    writer,
    readAvailable: () => decoder.decode(readAll(reader), { stream: true }),
    closeReader: () => {
      isReading = false;
      closeSync(reader);
    },
    close: () => {
      // The reader first, so that a write that is stalled ends.
      if (isReading) closeSync(reader);
      closeSync(writer);
    },
  };
}

function readAll(fd: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  const chunk = new Uint8Array(65_536);
  for (;;) {
    try {
      const length = readSync(fd, chunk);
      if (length === 0) break;
      chunks.push(chunk.slice(0, length));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") break;
      throw error;
    }
  }
  return Buffer.concat(chunks);
}
