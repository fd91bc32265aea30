/** Somebody at the other end of the supervisor's socket: not a worker, unless the test runs inside one. */
import { connect, type Socket } from "node:net";
import { kernelAddress } from "../../src/protocol/kernel-address.ts";
import { waitUntil } from "./wait.ts";

export class Peer {
  readonly #socket: Socket;
  answer = "";
  isClosed = false;

  /** @param address a path, or `@name` for an abstract socket. */
  constructor(address: string) {
    this.#socket = connect(kernelAddress(address));
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text) => {
      this.answer += String(text);
    });
    // A reset is but another end of the connection; "close" follows.
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.isClosed = true;
    });
  }

  get isConnecting(): boolean {
    return this.#socket.connecting;
  }

  /** What doesn't fit into the kernel's buffers waits in this process. */
  send(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Takes nothing that comes. */
  stopReading(): void {
    this.#socket.pause();
  }

  async closed(): Promise<string> {
    await waitUntil(() => this.isClosed);
    return this.answer;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
