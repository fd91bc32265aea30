import { write } from "node:fs";
import { writeUnlessStalled } from "./crash-write.ts";
import { LineBuffer } from "./line-buffer.ts";

/** Where rendered lines go. Nothing in it blocks, throws or grows without bound. */
export type Sink = {
  /** Takes one rendered event, without the newline at its end. */
  write(line: string): void;
  /** Says how to render the line that tells how many events were dropped while the reader stalled. */
  describeDropped(describe: (count: number) => string): void;
  /**
   * Resolves when everything is written, when the reader is gone, when it has taken nothing for `stallMs`, or after
   * `longestMs`, whichever comes first.
   */
  flush(stallMs: number, longestMs?: number): Promise<void>;
  /** The last resort of a crash: writes what waits before it returns, as far as the reader takes it at once. */
  flushNow(): void;
};

export type SinkOptions = {
  readonly fd: number;
  /** The most that may wait for a stalled reader. */
  readonly capacityBytes?: number;
  /** Stands in for write(2) where a test wants a disk that fills up. */
  readonly write?: Write;
};

type Flusher = { readonly finish: () => void; readonly onProgress: () => void };

type Write = (
  fd: number,
  bytes: Uint8Array,
  callback: (error: NodeJS.ErrnoException | null, writtenBytes: number) => void,
) => void;

const defaultCapacityBytes = 1024 * 1024;

/**
 * PIPE_BUF of Linux (pipe(7)). Writes up to it are atomic: on a pipe that the workers write to as well, none of their output
 * can end up inside a line of ours. So a batch is whole lines and no longer than this, unless one line alone is.
 */
const batchBytes = 4096;

const minRetryMs = 10;
const maxRetryMs = 1000;

/** After these nobody will ever read what we write (write(2)): the rest is discarded, quietly. */
const goneCodes: ReadonlySet<string> = new Set([
  "EPIPE",
  "EBADF",
  "EINVAL",
  "ECONNRESET",
  "ENOTCONN",
  "EDESTADDRREQ",
]);

export function createSink(options: SinkOptions): Sink {
  return new WaitingSink(options);
}

/**
 * Writes with a thread of Bun's pool, one write at a time: while the reader stalls, that thread waits in write(2) and
 * nobody else does. The obvious ways don't work: the descriptor may not be made non-blocking, because the workers share its
 * open file description and would get EAGAIN; a blocking write in this thread would stop the supervisor; and
 * `process.stderr` does the former and buffers without bound.
 */
class WaitingSink implements Sink {
  readonly #fd: number;
  readonly #write: Write;
  readonly #lines: LineBuffer;
  #describe = (count: number) => `level=warning msg="log events dropped" dropped=${count}`;
  /** What is left of the batch that was begun. It is never dropped: a part of it may be out already. */
  #batch: Uint8Array | undefined;
  #isScheduled = false;
  #isWriting = false;
  #isGone = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = minRetryMs;
  #flushers: Flusher[] = [];

  constructor(options: SinkOptions) {
    this.#fd = options.fd;
    this.#write = options.write ?? write;
    this.#lines = new LineBuffer(options.capacityBytes ?? defaultCapacityBytes);
  }

  write(line: string): void {
    if (this.#isGone) return;
    this.#lines.push(line);
    if (this.#isScheduled) return;
    // All events of one turn go out together, and those of a crash are still here for `flushNow`.
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#writeOn();
    });
  }

  describeDropped(describe: (count: number) => string): void {
    this.#describe = describe;
  }

  flush(stallMs: number, longestMs = 10 * stallMs): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(stall);
        clearTimeout(deadline);
        this.#flushers = this.#flushers.filter((one) => one !== flusher);
        resolve();
      };
      const deadline = setTimeout(finish, longestMs);
      let stall = setTimeout(finish, stallMs);
      // A reader that is slow but reads is to get the last lines too, which come behind all that it has yet to read.
      const onProgress = () => {
        clearTimeout(stall);
        stall = setTimeout(finish, stallMs);
      };
      const flusher: Flusher = { finish, onProgress };
      this.#flushers.push(flusher);
      this.#cancelRetry();
      this.#writeOn();
    });
  }

  flushNow(): void {
    if (this.#isGone) return;
    // A batch that a thread is writing is the thread's to finish; written here too, it would be out twice.
    const parts: Uint8Array[] = this.#isWriting || this.#batch === undefined ? [] : [this.#batch];
    for (let batch = this.#nextBatch(); batch !== undefined; batch = this.#nextBatch()) parts.push(batch);
    if (!this.#isWriting) this.#batch = undefined;
    writeUnlessStalled(this.#fd, parts, this.#isWriting);
  }

  /** Starts the next write, unless one is under way or a failed one waits for its next try. */
  #writeOn(): void {
    if (this.#isWriting || this.#retryTimer !== undefined) return;
    this.#batch ??= this.#nextBatch();
    if (this.#batch === undefined) {
      for (const { finish } of this.#flushers) finish();
      return;
    }
    this.#isWriting = true;
    this.#write(this.#fd, this.#batch, (error, writtenBytes) => {
      this.#isWriting = false;
      if (error !== null && goneCodes.has(error.code ?? "")) this.#discard();
      else if (error !== null || writtenBytes === 0) this.#pause();
      else this.#advance(writtenBytes);
      this.#writeOn();
    });
  }

  #nextBatch(): Uint8Array | undefined {
    const dropped = this.#lines.takeDropped();
    const notice = dropped > 0 ? `${this.#describe(dropped)}\n` : "";
    const text = notice + this.#lines.takeBatch(batchBytes - Buffer.byteLength(notice));
    return text === "" ? undefined : Buffer.from(text);
  }

  #advance(writtenBytes: number): void {
    this.#retryMs = minRetryMs;
    for (const { onProgress } of this.#flushers) onProgress();
    const rest = this.#batch?.subarray(writtenBytes);
    this.#batch = rest !== undefined && rest.length > 0 ? rest : undefined;
  }

  #discard(): void {
    this.#isGone = true;
    this.#batch = undefined;
    this.#lines.clear();
  }

  /**
   * EAGAIN (somebody made the pipe non-blocking), ENOSPC, EIO and whatever else may pass: the batch is kept for another try
   * after a pause that doubles, so that a full disk costs no spinning; what comes meanwhile waits, the oldest goes first.
   */
  #pause(): void {
    const isFlushing = this.#flushers.length > 0;
    this.#retryTimer = setTimeout(
      () => {
        this.#cancelRetry();
        this.#writeOn();
      },
      isFlushing ? minRetryMs : this.#retryMs,
    );
    // Only somebody who waits for a flush may keep the process alive for a reader that doesn't read.
    if (!isFlushing) this.#retryTimer.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs);
  }

  #cancelRetry(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
  }
}
