/**
 * The supervisor's Unix socket from both sides: to production code it looks like `Bun.listen` and `Bun.connect`, to the
 * simulated processes like connections. Bytes arrive in pieces of any size, in order within a connection, and in no
 * order between two. As in Bun, `end()` calls `close` before it returns, and what was not read by then is lost.
 */
import type { SocketSystem } from "../../../src/workers/worker-socket.ts";
import { Connection, type ServerHandlers } from "./connection.ts";
import type { Inbox, Source } from "./input.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";

type Waiting = Connection | "own";

export class Network {
  readonly inbox: Inbox;
  readonly kernel: Kernel;
  /** How much a peer that doesn't read takes before `write` takes no more. */
  readonly capacityBytes: number;
  readonly #connections: Connection[] = [];
  readonly #backlog: Waiting[] = [];
  readonly #accept: Source;
  #handlers: ServerHandlers | undefined;

  constructor(kernel: Kernel, inbox: Inbox, capacityBytes: number) {
    this.kernel = kernel;
    this.inbox = inbox;
    this.capacityBytes = capacityBytes;
    this.#accept = { name: "backlog", sinceMs: 0, deliver: () => this.#acceptOne() };
  }

  /** connect(2). */
  connect(client: Process): Connection {
    const name = client.nextConnectionName();
    const connection = new Connection(this, client, name, this.#connections.length);
    this.#connections.push(connection);
    this.#queue(connection);
    return connection;
  }

  #queue(waiting: Waiting): void {
    this.#backlog.push(waiting);
    this.inbox.raise(this.#accept);
  }

  #acceptOne(): void {
    const next = this.#backlog.shift();
    if (this.#backlog.length === 0) this.inbox.drop(this.#accept);
    if (next === undefined || this.#handlers === undefined) return;
    const connection = next === "own" ? new Connection(this, undefined, "own", -1) : next;
    connection.accept(this.#handlers);
  }

  /** SO_PEERCRED: the pid that the peer had when it connected, whoever has it now. */
  peerPid(descriptor: number): number {
    return descriptor === -1 ? process.pid : (this.#connections[descriptor]?.clientPid ?? 0);
  }

  system(): SocketSystem {
    const system = {
      listen: ({ socket }: { socket: ServerHandlers }) => {
        this.#handlers = socket;
        return { stop: () => {} };
      },
      connect: () => {
        this.#queue("own");
        return new Promise(() => {});
      },
    };
    // Production uses this much of it and no more; the whole of Bun's types is not needed for that.
    return system as unknown as SocketSystem;
  }
}
