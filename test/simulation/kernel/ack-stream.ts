import type { Dice } from "../../core/random/dice.ts";
import type { Inbox, Source } from "./input.ts";

/** The pair of sockets of which a program's worker has one end as its ack descriptor. */
export class AckStream implements Source {
  readonly name: string;
  sinceMs = 0;
  readonly #inbox: Inbox;
  readonly #onData: (chunk: Uint8Array) => void;
  /** All that was written has been read. */
  readonly #onRead: () => void;
  #unread = Buffer.alloc(0);
  #isClosed = false;

  constructor(name: string, inbox: Inbox, onData: (chunk: Uint8Array) => void, onRead: () => void) {
    this.name = name;
    this.#inbox = inbox;
    this.#onData = onData;
    this.#onRead = onRead;
  }

  write(text: string): void {
    if (this.#isClosed) return;
    this.#unread = Buffer.concat([this.#unread, Buffer.from(text)]);
    this.#inbox.raise(this);
  }

  deliver(dice: Dice): void {
    const bytes = dice.chance(0.7) ? this.#unread.length : 1 + dice.below(this.#unread.length);
    const chunk = this.#unread.subarray(0, bytes);
    this.#unread = this.#unread.subarray(bytes);
    if (this.#unread.length === 0) this.#inbox.drop(this);
    this.#onData(chunk);
    if (this.#unread.length === 0) this.#onRead();
  }

  /** The exit has been told: nothing more is read (src/system/child.ts). */
  close(): void {
    this.#isClosed = true;
    this.#inbox.drop(this);
  }
}
