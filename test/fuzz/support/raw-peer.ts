/** A connection of an attacker's: it writes only as fast as it is read, and notices when it is closed. */
import type { Socket } from "bun";
import { waitUntil } from "../../helpers/wait.ts";

export type Target = { readonly unix: string } | { readonly hostname: string; readonly port: number };

/** What is kept of an answer, however much comes. */
const mostKept = 1024 * 1024;

export class RawPeer {
  #socket: Socket | undefined;
  #onRoom: () => void = () => {};
  readonly #closed = Promise.withResolvers<void>();
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  /** What the kernel has taken of what was sent. */
  sentBytes = 0;
  isClosed = false;

  /** Waits while the backlog is full, which Bun calls ECONNREFUSED for a Unix socket. */
  static async connect(target: Target): Promise<RawPeer> {
    const peer = new RawPeer();
    await waitUntil(
      () => peer.#tryToConnect(target),
      () => `a connection to ${JSON.stringify(target)}`,
    );
    return peer;
  }

  async #tryToConnect(target: Target): Promise<boolean> {
    try {
      // One object a peer: the handlers know whose they are by closing over it.
      const options = { ...target, socket: this.#handlers() };
      this.#socket = "unix" in options ? await Bun.connect(options) : await Bun.connect(options);
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ECONNREFUSED" || code === "EAGAIN") return false;
      // Accepted and closed before this process got to look.
      if (code === "ECONNRESET") this.#onClose();
      if (code === "ECONNRESET") return true;
      throw error;
    }
  }

  #handlers() {
    return {
      data: (_socket: Socket, chunk: Buffer) => this.#take(chunk),
      drain: () => this.#onRoom(),
      close: () => this.#onClose(),
      error: () => {},
      end: () => {},
    };
  }

  #take(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes <= mostKept) this.#received.push(Buffer.from(chunk));
  }

  #onClose(): void {
    this.isClosed = true;
    this.#onRoom();
    this.#closed.resolve();
  }

  get answer(): string {
    return Buffer.concat(this.#received).toString();
  }

  /** Resolves when the kernel has all of it, or the connection is closed. */
  async send(bytes: string | Uint8Array): Promise<void> {
    let rest = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    while (rest.length > 0 && !this.isClosed) {
      const room = new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
      const written = Math.max(0, this.#socket?.write(rest) ?? 0);
      this.sentBytes += written;
      rest = rest.subarray(written);
      if (rest.length > 0 && !this.isClosed) await room;
    }
  }

  stopReading(): void {
    this.#socket?.pause();
  }

  /** Nothing more will be sent; what comes is still read. */
  shutDown(): void {
    this.#socket?.shutdown();
  }

  closed(): Promise<void> {
    return this.#closed.promise;
  }

  async answered(end: string): Promise<string> {
    await waitUntil(
      () => this.isClosed || this.answer.includes(end),
      () => `${JSON.stringify(end)} in ${JSON.stringify(this.answer)}`,
    );
    return this.answer;
  }

  [Symbol.dispose](): void {
    this.#socket?.terminate();
  }
}

/** Connections that are kept open for nothing; the oldest make room for new ones. */
export class Idlers {
  readonly #capacity: number;
  #peers: RawPeer[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  keep(peer: RawPeer): void {
    this.#peers.push(peer);
    if (this.#peers.length > this.#capacity) this.#peers.shift()?.[Symbol.dispose]();
  }

  get count(): number {
    return this.#peers.filter(({ isClosed }) => !isClosed).length;
  }

  [Symbol.dispose](): void {
    for (const peer of this.#peers) peer[Symbol.dispose]();
    this.#peers = [];
  }
}
