/**
 * Listens for probes: HTTP of the simplest kind on sockets of Bun's, because `Bun.serve` takes every connection that comes
 * and says nothing of it. Silent ones then use up the descriptors of the whole process: no probe is answered any more,
 * no worker launched, and accept(2) fails again and again without a rest.
 */
import type { Socket } from "bun";
import type { ListenAddress } from "../config/config.ts";
import { dieOf } from "../die-of.ts";
import { rememberSocketFile } from "../socket-file.ts";
import { type RequestHead, RequestReader } from "./request-reader.ts";
import { encodeResponse, type Response } from "./response.ts";

/** From the connection to its end, whatever the peer does meanwhile; Bun's clock for it goes in steps of some seconds. */
const longestSeconds = 10;

export type ProbeListenerOptions = {
  readonly listen: ListenAddress;
  /** At most so many are open at a time: for each one beyond, the oldest is closed. */
  readonly maxConnections: number;
  readonly respond: (head: RequestHead) => Response;
};

export type ProbeListener = {
  /** The one that was really taken; undefined for a Unix socket. */
  readonly port: number | undefined;
  /** Listens no more and closes every connection; a Unix socket's file is removed, unless it is another's by now. */
  stop(): void;
};

type Probe = {
  readonly reader: RequestReader;
  isAnswered: boolean;
  /** What the kernel has not taken yet. */
  unsent: Buffer;
};

type ProbeSocket = Socket<Probe | undefined>;

/** @throws what bind(2) says, as a Bun error with a `code`. */
export function listenForProbes(options: ProbeListenerOptions): ProbeListener {
  const { listen } = options;
  const connections = new Connections(options);
  const shared = { data: undefined, allowHalfOpen: true, socket: connections.handlers };
  if (listen.kind === "unix") {
    const listener = Bun.listen<Probe | undefined>({ ...shared, unix: listen.path });
    const file = rememberSocketFile(listen.path);
    const stop = () => {
      connections.closeAll();
      // Bun removes whatever is at the path by then; a listener without a file ends with the process.
      if (file.look() !== "another's") listener.stop(true);
    };
    return { port: undefined, stop };
  }
  const { hostname, port } = listen;
  const listener = Bun.listen<Probe | undefined>({ ...shared, hostname, port });
  return { port: listener.port, stop: () => listener.stop(true) };
}

class Connections {
  readonly #options: ProbeListenerOptions;
  /** Oldest first. */
  readonly #open = new Set<ProbeSocket>();

  constructor(options: ProbeListenerOptions) {
    this.#options = options;
  }

  get handlers() {
    return {
      open: (socket: ProbeSocket) => this.#onOpen(socket),
      data: (socket: ProbeSocket, chunk: Buffer) => this.#onData(socket, chunk),
      drain: (socket: ProbeSocket) => this.#flush(socket),
      end: (socket: ProbeSocket) => this.#onEnd(socket),
      timeout: (socket: ProbeSocket) => this.#close(socket),
      close: (socket: ProbeSocket) => void this.#open.delete(socket),
      error: (_socket: ProbeSocket, mistake: Error) => dieOf(mistake),
    };
  }

  closeAll(): void {
    for (const socket of [...this.#open]) this.#close(socket);
  }

  /**
   * It is the oldest that goes, not the newest that is turned away: a probe asks as soon as it is connected, so what has
   * been there for a while is none.
   */
  #onOpen(socket: ProbeSocket): void {
    socket.data = { reader: new RequestReader(), isAnswered: false, unsent: Buffer.alloc(0) };
    socket.timeout(longestSeconds);
    this.#open.add(socket);
    if (this.#open.size <= this.#options.maxConnections) return;
    for (const oldest of this.#open) return this.#close(oldest);
  }

  #onData(socket: ProbeSocket, chunk: Buffer): void {
    const probe = socket.data;
    // What follows a request, a body perhaps, is read and dropped: closed upon it, the connection would be reset, and
    // the answer could be lost with it.
    if (probe === undefined || probe.isAnswered) return;
    const reading = probe.reader.push(chunk);
    switch (reading.kind) {
      case "incomplete":
        return;
      case "malformed":
        return this.#answer(socket, probe, { status: reading.status, headers: {}, body: "" }, false);
      case "complete": {
        const { head } = reading;
        return this.#answer(socket, probe, this.#options.respond(head), head.method === "HEAD");
      }
    }
  }

  #answer(socket: ProbeSocket, probe: Probe, response: Response, isHead: boolean): void {
    probe.isAnswered = true;
    probe.unsent = encodeResponse(response, isHead, new Date());
    this.#flush(socket);
  }

  /** The peer closes when it has read the end; should it not, its time runs out. */
  #flush(socket: ProbeSocket): void {
    const probe = socket.data;
    if (probe === undefined || !probe.isAnswered || probe.unsent.length === 0) return;
    probe.unsent = probe.unsent.subarray(Math.max(0, socket.write(probe.unsent)));
    if (probe.unsent.length === 0) socket.shutdown();
  }

  /** A peer that has said all it wants to say may still read. */
  #onEnd(socket: ProbeSocket): void {
    const probe = socket.data;
    if (probe?.isAnswered !== true) return this.#close(socket);
    // Not cut off: the kernel may still have to deliver what it has taken.
    if (probe.unsent.length === 0) socket.end();
  }

  #close(socket: ProbeSocket): void {
    this.#open.delete(socket);
    socket.data = undefined;
    socket.terminate();
  }
}
