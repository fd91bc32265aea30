/**
 * The supervisor's Unix socket: who is at the other end (the kernel says), what they send, and what is refused.
 * Whatever a peer does (garbage, half lines, no reading, a thousand connections), it costs bounded memory.
 */
import { chmodSync } from "node:fs";
import type { Socket } from "bun";
import type { AckReply } from "../acks.ts";
import type { Fields } from "../core/log-event.ts";
import { dieOf } from "../die-of.ts";
import { kernelAddress } from "../protocol/kernel-address.ts";
import { LineDecoder } from "../protocol/line-decoder.ts";
import {
  encodeReply,
  type ParseResult,
  type PreloaderMessage,
  parseMessage,
  type WorkerMessage,
} from "../protocol/messages.ts";
import type { SetTimer } from "../timer.ts";
import { Backlog } from "./backlog.ts";
import type { Connection } from "./preloader-link.ts";
import { WarningLimiter } from "./warning-limiter.ts";

/** Who has not said one whole line within this time is disconnected; preloaders may be silent for ever. */
const idleTimeoutSeconds = 30;
const never = 0;

/** Each is an event with a backtrace in the log. Who is refused prints its own to standard error: nothing is lost. */
const reportsPerWindow = 100;
const reportWindowMs = 10_000;

/** A preloader that does not read its spawn lines is held to this much; past it, it is as good as dead. */
const maxUnsentBytes = 4 * 1024 * 1024;

export type WorkerSocketPorts = {
  readonly peerPid: (fd: number) => number;
  readonly offerAck: (id: string, peerPid: number, reply: (reply: AckReply) => void) => void;
  /** An expression that raised; false: not from that worker. */
  readonly onWorkerError: (peerPid: number, message: WorkerMessage & { action: "error" }) => boolean;
  readonly onConnected: (peerPid: number, connection: Connection) => boolean;
  readonly onMessage: (
    peerPid: number,
    connection: Connection,
    message: PreloaderMessage,
  ) => string | undefined;
  readonly onDisconnected: (peerPid: number, connection: Connection, reason: string) => void;
  readonly warn: (message: string, fields: Fields) => void;
  readonly nowMs: () => number;
  readonly setTimer: SetTimer;
  readonly limiter: WarningLimiter;
  /**
   * How many connections may be open at a time, preloaders' aside; without it, as many as one likes. Without a free
   * descriptor accept(2) fails again and again: nobody would get through, a health probe neither.
   */
  readonly maxConnections?: number;
};

type Peer = {
  readonly pid: number;
  readonly isPreloader: boolean;
  readonly decoder: LineDecoder;
  readonly connection: Connection;
  unsent: Buffer[];
  unsentBytes: number;
  closeReason: string;
};

type PeerSocket = Socket<Peer | undefined>;

/** What Bun has of sockets; a simulation has its own. */
export type SocketSystem = Pick<typeof Bun, "listen" | "connect">;

export class WorkerSocket {
  readonly #ports: WorkerSocketPorts;
  readonly #address: string;
  readonly #system: SocketSystem;
  #listener: { stop(closeActiveConnections?: boolean): void };
  readonly #backlog: Backlog;
  readonly #maxConnections: number;
  readonly #reports = new WarningLimiter(reportsPerWindow, reportWindowMs);
  /** Preloaders' aside. */
  #connections = 0;
  /** Who has not said a whole line yet, those who have been silent for longest first. */
  readonly #silent = new Set<PeerSocket>();

  /**
   * @param address a path, or `@name`. The caller holds the lock and has removed what a dead supervisor left.
   * @throws what `bind(2)` says, as a Bun error with a `code`.
   */
  constructor(address: string, ports: WorkerSocketPorts, system: SocketSystem = Bun) {
    this.#ports = ports;
    this.#system = system;
    this.#address = kernelAddress(address);
    this.#maxConnections = ports.maxConnections ?? Number.POSITIVE_INFINITY;
    const connect = () => system.connect({ unix: this.#address, socket: { data() {} } });
    this.#backlog = new Backlog(connect, ports.setTimer);
    this.#listener = this.#listen();
  }

  #listen(): { stop(closeActiveConnections?: boolean): void } {
    const before = process.umask(0o177);
    try {
      const listener = this.#system.listen<Peer | undefined>({
        unix: this.#address,
        data: undefined,
        socket: {
          open: (socket) => this.#onOpen(socket),
          data: (socket, chunk) => this.#onData(socket, chunk),
          drain: (socket) => this.#flush(socket),
          timeout: (socket) => this.#refuse(socket, `nothing said within ${idleTimeoutSeconds} s`, false),
          close: (socket, error) => this.#onClose(socket, error),
          error: (_socket, error) => dieOf(error),
        },
      });
      // The umask doesn't count where the folder has a default ACL (umask(2)).
      if (!this.#address.startsWith("\0")) chmodSync(this.#address, 0o600);
      return listener;
    } finally {
      process.umask(before);
    }
  }

  /**
   * Makes the socket's file anew where it has been removed: nobody can connect to the socket that it led to. Connections
   * that have been accepted stay. What waits to be accepted is lost, as little as that can be in the moment between.
   *
   * @throws what `bind(2)` says, as a Bun error with a `code`; then there is no listener until the next call.
   */
  listenAgain(): void {
    // First, because Bun removes the file of a socket that it closes, whosever it is by then.
    this.#listener.stop(false);
    this.#backlog.onLost();
    this.#listener = this.#listen();
  }

  stop(): void {
    this.#listener.stop(true);
  }

  /** Calls back when every connection made before this call has been accepted. */
  readBacklog(done: () => void): void {
    this.#backlog.read(done);
  }

  #onOpen(socket: PeerSocket): void {
    const pid = this.#ports.peerPid(fileDescriptor(socket));
    if (pid === process.pid) {
      socket.end();
      return this.#backlog.onRead();
    }
    const connection: Connection = {
      send: (line) => this.#send(socket, line),
      close: () => socket.end(),
    };
    const isPreloader = this.#ports.onConnected(pid, connection);
    const decoder = new LineDecoder();
    socket.data = {
      pid,
      isPreloader,
      decoder,
      connection,
      unsent: [],
      unsentBytes: 0,
      closeReason: "it closed the connection",
    };
    // Bun gives every accepted connection 120 s if it is told nothing.
    socket.timeout(isPreloader ? never : idleTimeoutSeconds);
    if (isPreloader) return;
    this.#connections += 1;
    this.#silent.add(socket);
    if (this.#connections > this.#maxConnections) this.#makeRoom();
  }

  /**
   * Who acks does so at once, and often doesn't look for an answer: were it the last to come that is refused, those who
   * come to say nothing could keep every ack from being heard.
   */
  #makeRoom(): void {
    const [longestSilent] = this.#silent;
    if (longestSilent !== undefined) this.#refuse(longestSilent, "too many connections", true);
  }

  #onData(socket: PeerSocket, chunk: Buffer): void {
    const peer = socket.data;
    if (peer === undefined) return;
    for (const line of peer.decoder.push(chunk)) {
      if (socket.readyState !== 1) return;
      this.#silent.delete(socket);
      if (line.kind === "tooLong") return this.#refuse(socket, "the line is longer than 64 KiB", true);
      this.#onMessage(socket, peer, parseMessage(line.text, peer.isPreloader ? "preloader" : "worker"));
    }
  }

  #onMessage(socket: PeerSocket, peer: Peer, parsed: ParseResult): void {
    if (!parsed.ok) return this.#refuse(socket, parsed.reason, true);
    if (parsed.from === "preloader") {
      const reason = this.#ports.onMessage(peer.pid, peer.connection, parsed.message);
      if (reason !== undefined) this.#refuse(socket, reason, true);
      return;
    }
    const { message } = parsed;
    if (message.action === "ack") {
      return this.#ports.offerAck(message.id, peer.pid, (reply) => this.#answer(socket, message.id, reply));
    }
    this.#takeReport(socket, peer, message);
  }

  #takeReport(socket: PeerSocket, peer: Peer, report: WorkerMessage & { action: "error" }): void {
    if (this.#reports.admit(this.#ports.nowMs()) === undefined)
      return this.#refuse(socket, "too many errors are reported", true);
    if (this.#ports.onWorkerError(peer.pid, report))
      return this.#answer(socket, report.id, { kind: "accepted" });
    this.#refuse(socket, "an error may only be reported by the worker itself", true);
  }

  #answer(socket: PeerSocket, id: string, reply: AckReply): void {
    if (reply.kind === "refused") return this.#refuse(socket, reply.reason, reply.isForeign, { worker: id });
    this.#send(socket, encodeReply(undefined));
    socket.end();
  }

  /** Says why, once, to the peer and (when it is no ordinary lateness) to the log, and closes. */
  #refuse(socket: PeerSocket, reason: string, isWorthAWarning: boolean, fields: Fields = {}): void {
    const peer = socket.data;
    if (peer === undefined) return;
    this.#silent.delete(socket);
    if (peer.isPreloader) peer.closeReason = reason;
    if (isWorthAWarning) this.#warn(reason, { ...fields, peer_pid: peer.pid });
    this.#send(socket, encodeReply(reason));
    socket.end();
  }

  #warn(reason: string, fields: Fields): void {
    const unsaid = this.#ports.limiter.admit(this.#ports.nowMs());
    if (unsaid === undefined) return;
    this.#ports.warn("refused a message on the socket", { ...fields, reason, unsaid: unsaid || undefined });
  }

  #send(socket: PeerSocket, line: string): void {
    const peer = socket.data;
    if (peer === undefined || socket.readyState !== 1) return;
    const bytes = Buffer.from(line);
    const isWaiting = peer.unsentBytes > 0;
    const written = isWaiting ? 0 : Math.max(0, socket.write(bytes));
    if (written === bytes.length) return;
    peer.unsent.push(bytes.subarray(written));
    peer.unsentBytes += bytes.length - written;
    if (peer.unsentBytes <= maxUnsentBytes) return;
    peer.closeReason = "it does not read what it is told";
    socket.terminate();
  }

  #flush(socket: PeerSocket): void {
    const peer = socket.data;
    if (peer === undefined || peer.unsentBytes === 0) return;
    const bytes = Buffer.concat(peer.unsent);
    const written = Math.max(0, socket.write(bytes));
    peer.unsent = written === bytes.length ? [] : [bytes.subarray(written)];
    peer.unsentBytes = bytes.length - written;
  }

  #onClose(socket: PeerSocket, error: Error | undefined): void {
    const peer = socket.data;
    if (peer === undefined) return;
    socket.data = undefined;
    this.#silent.delete(socket);
    if (!peer.isPreloader) this.#connections -= 1;
    this.#ports.onDisconnected(peer.pid, peer.connection, error?.message ?? peer.closeReason);
  }
}

/** Bun's sockets have it, only its types don't say so. */
export function fileDescriptor(socket: object): number {
  const { fd } = socket as { fd: number };
  return fd;
}
