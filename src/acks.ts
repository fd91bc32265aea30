/**
 * Whether an ack counts: its id must be that of a live worker, and its sender that worker or a descendant of it.
 *
 * A forked worker may ack before the line that announces its pid has been read (they come over two sockets), so an
 * ack for a worker that is only requested waits here until there is a pid to compare it with.
 */
import { assertNever } from "./core/assert-never.ts";
import type { WorkerId } from "./core/event.ts";
import type { Worker } from "./core/worker.ts";

export type AckReply =
  | { readonly kind: "accepted" }
  /** `isForeign`: from a stranger, or for a worker that never was; worth a warning. */
  | { readonly kind: "refused"; readonly reason: string; readonly isForeign: boolean };

type Parked = { readonly peerPid: number; readonly reply: (reply: AckReply) => void };

type AckPorts = {
  readonly find: (id: WorkerId) => Worker | undefined;
  readonly wasIssued: (id: WorkerId) => boolean;
  readonly isSelfOrDescendant: (peer: number, worker: number) => boolean;
  readonly accept: (id: WorkerId) => void;
};

/** More than one may wait for the same worker only when somebody pretends; a few, so that the right one finds room. */
const parkedPerWorker = 8;

export class AckDesk {
  readonly #ports: AckPorts;
  readonly #parked = new Map<WorkerId, Parked[]>();

  constructor(ports: AckPorts) {
    this.#ports = ports;
  }

  offer(id: WorkerId, peerPid: number, reply: (reply: AckReply) => void): void {
    const worker = this.#ports.find(id);
    if (worker?.phase === "requested") return this.#park(id, { peerPid, reply });
    const answer = worker === undefined ? this.#missing(id) : this.#judge(worker, peerPid);
    if (answer.kind === "accepted") this.#ports.accept(id);
    reply(answer);
  }

  /** After every event: what became of the workers that acks wait for? */
  reconsider(): void {
    for (const [id, parked] of this.#parked) {
      if (this.#ports.find(id)?.phase === "requested") continue;
      this.#parked.delete(id);
      for (const { peerPid, reply } of parked) this.offer(id, peerPid, reply);
    }
  }

  #park(id: WorkerId, parked: Parked): void {
    const waiting = this.#parked.get(id) ?? [];
    if (waiting.length >= parkedPerWorker)
      return parked.reply(refuse("too many acks wait for this worker", true));
    waiting.push(parked);
    this.#parked.set(id, waiting);
  }

  /** Who acks and exits at once may be gone before its ack is read: ordinary, unlike an id that never was ours. */
  #missing(id: WorkerId): AckReply {
    return refuse("no live worker has this id", !this.#ports.wasIssued(id));
  }

  #judge(worker: Worker, peerPid: number): AckReply {
    switch (worker.phase) {
      case "requested":
      case "abandoned":
        return refuse("this worker is not wanted any more", false);
      case "stopping":
      case "launched":
      case "ready":
        if (!this.#ports.isSelfOrDescendant(peerPid, worker.pid)) {
          return refuse(`process ${peerPid} is neither this worker nor a descendant of it`, true);
        }
        return worker.phase === "stopping"
          ? refuse("this worker is being stopped", false)
          : { kind: "accepted" };
      default:
        return assertNever(worker);
    }
  }
}

function refuse(reason: string, isForeign: boolean): AckReply {
  return { kind: "refused", reason, isForeign };
}
