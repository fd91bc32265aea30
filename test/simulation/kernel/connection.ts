import type { Dice } from "../../core/random/dice.ts";
import type { WorkerFact } from "../facts.ts";
import type { Source } from "./input.ts";
import type { Network } from "./network.ts";
import type { Handle, Process } from "./process.ts";

/** What production gives to `Bun.listen`; our socket is what it calls `Socket`. */
export type ServerHandlers = {
  open(socket: ServerSocket): void;
  data(socket: ServerSocket, chunk: Buffer): void;
  drain(socket: ServerSocket): void;
  close(socket: ServerSocket): void;
};

/** The supervisor's end. */
export type ServerSocket = {
  data: unknown;
  readonly fd: number;
  /** 1: open. */
  readyState: number;
  write(bytes: Buffer): number;
  end(): void;
  terminate(): void;
  timeout(seconds: number): void;
};

const nothing = Buffer.alloc(0);

export class Connection implements Source {
  readonly name: string;
  sinceMs = 0;
  readonly client: Process | undefined;
  readonly clientPid: number;
  readonly #network: Network;
  readonly #handle: Handle;
  readonly #socket: ServerSocket;
  #handlers: ServerHandlers | undefined;
  #unread: Buffer = nothing;
  /** Workers whose announcement ends that many bytes before the end of what is unread. */
  #announcements: { readonly fact: WorkerFact; endsAt: number }[] = [];
  #hasEnded = false;
  #wantsDrain = false;
  /** What the supervisor has sent and the client has not read. */
  #sent = "";
  /** The supervisor has closed it. */
  isCut = false;
  /** The client's program wants to know of new lines, and of the end. */
  onNews: () => void = () => {};
  /** An announcement has been read to its end. */
  onAnnounced: (fact: WorkerFact) => void = () => {};
  /** It was closed with an announcement in it that had not been read. */
  onLost: (fact: WorkerFact) => void = () => {};

  constructor(network: Network, client: Process | undefined, name: string, descriptor: number) {
    this.#network = network;
    this.name = name;
    this.client = client;
    this.clientPid = client?.pid ?? 0;
    this.#handle = { holders: new Set(), onRelease: () => this.#onRelease() };
    if (client !== undefined) network.kernel.open(client, this.#handle);
    this.#socket = this.#createSocket(descriptor);
  }

  #createSocket(fd: number): ServerSocket {
    const end = () => this.#cut();
    const write = (bytes: Buffer) => this.#takeFromServer(bytes);
    return { data: undefined, fd, readyState: 1, write, end, terminate: end, timeout: () => {} };
  }

  accept(handlers: ServerHandlers): void {
    this.#handlers = handlers;
    handlers.open(this.#socket);
    if (this.#unread.length > 0 || this.#hasEnded) this.#raise();
  }

  #raise(): void {
    if (this.#handlers !== undefined && !this.isCut) this.#network.inbox.raise(this);
  }

  // --- the client's side ---------------------------------------------------------------------------------------

  /** @returns false: EPIPE. */
  write(text: string, announces?: WorkerFact): boolean {
    if (this.isCut) return false;
    this.#unread =
      this.#unread.length === 0 ? Buffer.from(text) : Buffer.concat([this.#unread, Buffer.from(text)]);
    if (announces !== undefined) this.#announcements.push({ fact: announces, endsAt: this.#unread.length });
    this.#raise();
    return true;
  }

  /** The next whole line that the supervisor has sent. */
  readLine(): string | undefined {
    const end = this.#sent.indexOf("\n");
    if (end === -1) return undefined;
    const line = this.#sent.slice(0, end);
    this.#sent = this.#sent.slice(end + 1);
    if (this.#wantsDrain) this.#raise();
    return line;
  }

  get hasLine(): boolean {
    return this.#sent.includes("\n");
  }

  close(process: Process): void {
    this.#network.kernel.close(process, this.#handle);
  }

  #onRelease(): void {
    if (this.#handle.holders.size > 0) return;
    this.#hasEnded = true;
    this.#raise();
  }

  // --- the supervisor's side -----------------------------------------------------------------------------------

  deliver(dice: Dice): void {
    if (this.#wantsDrain && this.#room > 0 && dice.chance(0.5)) this.#drain();
    else if (this.#unread.length > 0) this.#deliverBytes(dice);
    else if (this.#wantsDrain && this.#room > 0) this.#drain();
    else if (this.#hasEnded) return this.#cut();
    const isIdle = this.#unread.length === 0 && !this.#hasEnded && !(this.#wantsDrain && this.#room > 0);
    if (isIdle || this.isCut) this.#network.inbox.drop(this);
  }

  #deliverBytes(dice: Dice): void {
    const isWhole = dice.chance(0.7);
    const bytes = isWhole ? this.#unread.length : 1 + dice.below(this.#unread.length);
    const chunk = this.#unread.subarray(0, bytes);
    this.#unread = this.#unread.subarray(bytes);
    const read = this.#announcements.filter((announcement) => announcement.endsAt <= bytes);
    this.#announcements = this.#announcements.filter((announcement) => announcement.endsAt > bytes);
    for (const announcement of this.#announcements) announcement.endsAt -= bytes;
    this.#handlers?.data(this.#socket, chunk);
    for (const { fact } of read) this.onAnnounced(fact);
  }

  get #room(): number {
    return this.#network.capacityBytes - this.#sent.length;
  }

  #takeFromServer(bytes: Buffer): number {
    const taken = Math.max(0, Math.min(bytes.length, this.#room));
    this.#sent += bytes.toString("latin1", 0, taken);
    this.#wantsDrain = taken < bytes.length;
    this.onNews();
    return taken;
  }

  #drain(): void {
    this.#wantsDrain = false;
    this.#handlers?.drain(this.#socket);
  }

  #cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.#socket.readyState = -1;
    this.#network.inbox.drop(this);
    for (const { fact } of this.#announcements) this.onLost(fact);
    this.#handlers?.close(this.#socket);
    this.onNews();
  }
}
