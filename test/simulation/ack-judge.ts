/** Which acks have to be accepted, and which refused. */
import type { WorkerFact } from "./facts.ts";
import type { Connection } from "./kernel/connection.ts";
import type { Process } from "./kernel/process.ts";
import type { Ledger } from "./ledger.ts";
import { hold } from "./violation.ts";

type Waiting = { readonly sender: Process; readonly id: string };

export class AckJudge {
  readonly #ledger: Ledger;
  /** Not answered yet. */
  readonly #waiting = new Map<Connection, Waiting>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  onSent(connection: Connection, sender: Process, id: string): void {
    this.#waiting.set(connection, { sender, id });
  }

  onClosed(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  /** Production decides before it answers, so the worker is already what the answer makes of it. */
  onAnswered(connection: Connection, line: string): void {
    const waiting = this.#waiting.get(connection);
    this.#waiting.delete(connection);
    if (waiting === undefined || this.#ledger.hasExited) return;
    const { sender, id } = waiting;
    const isOwn = sender.worker?.id === id;
    if (line.includes('"ok"')) {
      // Of a sender that is gone the kernel knows no more than the pid, and that may be the worker's by now.
      hold(this.#ledger.workers.has(id), "no ack is accepted for a worker that is gone", () => id);
      hold(
        isOwn || sender.state === "gone",
        "only a worker's own ack is accepted",
        () => `${sender.name} for ${id}`,
      );
      return;
    }
    const fact = this.#ledger.workers.get(id);
    const isRightful = isOwn && fact !== undefined && isAwaited(fact) && isKnownToComeFrom(sender, fact);
    hold(!isRightful, "a worker's own ack is accepted", () => `${sender.name} for ${id}: ${line}`);
  }

  /** All that a worker has written to its ack descriptor has been read. */
  onStreamRead(fact: WorkerFact): void {
    if (!fact.isAnnounced || !isAwaited(fact) || this.#ledger.hasExited) return;
    hold(fact.isAcked, "an ack by descriptor is taken", () => fact.id);
  }

  /** When nothing is left to be read, every ack of a worker that is there has been answered. */
  checkNobodyWaits(): void {
    for (const { sender, id } of this.#waiting.values()) {
      const fact = this.#ledger.workers.get(id);
      const isParked = fact !== undefined && !fact.isAnnounced && !fact.isAbandoned;
      hold(isParked || sender.state === "gone", "every ack is answered", () => `${sender.name} for ${id}`);
    }
  }
}

/** Wanted, perhaps not announced yet, not asked to go, not gone. */
function isAwaited(fact: WorkerFact): boolean {
  return fact.askedAtMs === undefined && !fact.isAbandoned && !fact.isBuried;
}

/** By its parents or by its session: who has left both behind can't be known (src/system/peer.ts). */
function isKnownToComeFrom(sender: Process, { process }: WorkerFact): boolean {
  if (process === undefined || sender.state === "gone") return false;
  for (let at: Process | undefined = sender; at !== undefined; at = at.parent) {
    if (at === process || at.session === process.pid) return true;
  }
  return false;
}
