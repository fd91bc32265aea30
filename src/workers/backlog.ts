/** What the kernel keeps of connections that have been made to our socket and not been accepted yet. */
import { errorCode } from "../error-code.ts";
import type { SetTimer } from "../timer.ts";

/** A full backlog empties as soon as we get to accept; by then everybody else has had a turn too. */
const retryMs = 10;
const maxRetries = 50;

export class Backlog {
  readonly #connect: () => Promise<unknown>;
  readonly #setTimer: SetTimer;
  /** Who waits for the connection to ourselves that is under way, and who came after it and needs one of their own. */
  #readers: (() => void)[] = [];
  #nextReaders: (() => void)[] = [];

  /** @param connect to our own socket; whoever accepts it calls `onRead`. */
  constructor(connect: () => Promise<unknown>, setTimer: SetTimer) {
    this.#connect = connect;
    this.#setTimer = setTimer;
  }

  /**
   * Calls back when every connection made before this call has been accepted. The kernel keeps them in the order
   * in which they came, so one of our own at the end of the queue is accepted after all of them.
   */
  read(done: () => void): void {
    this.#nextReaders.push(done);
    if (this.#readers.length === 0) this.#joinNext();
  }

  onRead(): void {
    const readers = this.#readers;
    this.#joinNext();
    for (const done of readers) done();
  }

  /** The socket has been closed with all that waited in it, our own connection too: nothing of it will ever be accepted. */
  onLost(): void {
    if (this.#readers.length > 0) this.onRead();
  }

  #joinNext(): void {
    this.#readers = this.#nextReaders;
    this.#nextReaders = [];
    if (this.#readers.length > 0) this.#join(maxRetries);
  }

  /** Bun says ECONNREFUSED for a backlog that is full; for anything else (our file is gone) nothing is to be waited for. */
  #join(retries: number): void {
    this.#connect().catch((error: unknown) => {
      if (errorCode(error) !== "ECONNREFUSED" || retries === 0) return this.onRead();
      this.#setTimer(() => this.#join(retries - 1), retryMs);
    });
  }
}
