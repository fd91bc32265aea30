/**
 * The loop: one queue of events, each decided by the core, its effects handed to the ports. It sees ports only, so
 * production and simulation run the very same lines.
 */
import { AckDesk, type AckReply } from "./acks.ts";
import { assertNever } from "./core/assert-never.ts";
import { nextDeadline } from "./core/deadline.ts";
import type { Effect, Signal } from "./core/effect.ts";
import type { Event, PreloaderRef, WorkerId } from "./core/event.ts";
import {
  createFleet,
  type Fleet,
  type FleetLimits,
  findWorker,
  isAckAwaited,
  wasIssued,
} from "./core/fleet.ts";
import type { Verdict } from "./core/health.ts";
import type { LogEvent } from "./core/log-event.ts";
import { transition } from "./core/transition.ts";
import { workerFields } from "./core/turn.ts";
import { judge } from "./core/verdict.ts";
import { isAlive } from "./core/worker.ts";

export type WorkerLaunch = { readonly id: WorkerId; readonly set: number; readonly slot: number };
export type WorkerSpawn = WorkerLaunch & PreloaderRef & { readonly timeoutMs: number };

export type Ports = {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** One alarm at a time: calls `supervisor.post({ type: "deadlineReached" })` at or after `atMs`; undefined: never. */
  readonly setAlarm: (atMs: number | undefined) => void;
  readonly executeWorker: (launch: WorkerLaunch) => void;
  readonly spawnWorker: (spawn: WorkerSpawn) => void;
  readonly startPreloader: (ref: PreloaderRef) => void;
  /** A process that is gone is no error: its exit is on its way. */
  readonly signalProcess: (pid: number, signal: Signal) => void;
  readonly signalGroup: (pgid: number, signal: Signal) => "sent" | "gone";
  readonly sweepOrphans: (signal: "SIGTERM" | "SIGKILL") => void;
  readonly isSelfOrDescendant: (peer: number, worker: number) => boolean;
  readonly log: (event: LogEvent) => void;
  /** After this nothing is posted any more. */
  readonly exit: (code: number) => void;
};

export type WorkerErrorReport = { readonly id: WorkerId; readonly message: string; readonly error: string };

export class Supervisor {
  readonly #ports: Ports;
  readonly #queue: Event[] = [];
  readonly #acks: AckDesk;
  #fleet: Fleet;
  #isDraining = false;
  #alarmAtMs: number | undefined;

  /** @param idPrefix begins every worker's id; unique to this life. @param seed for the jitter of delays. */
  constructor(limits: FleetLimits, ports: Ports, idPrefix: string, seed: number) {
    this.#ports = ports;
    this.#fleet = createFleet(limits, idPrefix, seed);
    this.#acks = new AckDesk({
      find: (id) => findWorker(this.#fleet, id)?.worker,
      isSelfOrDescendant: ports.isSelfOrDescendant,
      wasIssued: (id) => wasIssued(this.#fleet, id),
      accept: (id) => this.post({ type: "workerAcked", id }),
    });
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  verdict(): Verdict {
    return judge(this.#fleet, this.#ports.nowMs());
  }

  /** Whether a worker or a preloader is on its way that has yet to be heard of on the socket. */
  isAckAwaited(): boolean {
    return isAckAwaited(this.#fleet);
  }

  /**
   * Takes one fact in. An effect may post further facts while it runs; they wait their turn, so that no event is
   * ever decided on half of another one's consequences.
   */
  post(event: Event): void {
    // The alarm has gone off, perhaps a little early: it must be set again even for the same time.
    if (event.type === "deadlineReached") this.#alarmAtMs = undefined;
    this.#queue.push(event);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#decide(next);
    } finally {
      this.#isDraining = false;
    }
    this.#setAlarm();
  }

  /** An ack that came over the socket; `reply` is called once, at once or when the worker's pid is known. */
  offerAck(id: WorkerId, peerPid: number, reply: (reply: AckReply) => void): void {
    this.#acks.offer(id, peerPid, reply);
  }

  /**
   * What a worker's expression raised: one event in the log, with the whole backtrace. It may overtake the announcement
   * of the worker's pid, or be overtaken by its exit; only while the pid is known can the sender be compared with it.
   *
   * @returns false: it does not come from that worker.
   */
  takeWorkerError(peerPid: number, report: WorkerErrorReport): boolean {
    const place = findWorker(this.#fleet, report.id);
    const isOurs = wasIssued(this.#fleet, report.id);
    if (place !== undefined && isAlive(place.worker)) {
      if (!this.#ports.isSelfOrDescendant(peerPid, place.worker.pid)) return false;
    } else if (!isOurs) return false;
    const names = place && workerFields(this.#fleet, place.set, place.slot, report.id, peerPid);
    const fields = {
      ...(names ?? { worker: report.id, pid: peerPid }),
      reason: report.message,
      error: report.error,
    };
    this.#ports.log({ level: "error", message: "worker raised an error", fields });
    return true;
  }

  /**
   * To be called when orphans have been reaped: one may have been the last in a group that still has its KILL to come, and
   * the number of that group may soon be another's.
   */
  forgetEmptyGroups(isThere: (pgid: number) => boolean): void {
    for (const { pgid } of this.#fleet.strays) {
      if (!isThere(pgid)) this.post({ type: "groupGone", pgid });
    }
  }

  #decide(event: Event): void {
    const { state, effects } = transition(this.#fleet, event, this.#ports.nowMs());
    this.#fleet = state;
    for (const effect of effects) this.#run(effect);
    this.#acks.reconsider();
  }

  #run(effect: Effect): void {
    const ports = this.#ports;
    switch (effect.type) {
      case "executeWorker":
        return ports.executeWorker(effect);
      case "spawnWorker":
        return ports.spawnWorker(effect);
      case "startPreloader":
        return ports.startPreloader({ preloader: effect.preloader, generation: effect.generation });
      case "signalProcess":
        return ports.signalProcess(effect.pid, effect.signal);
      case "signalGroup":
        if (ports.signalGroup(effect.pgid, effect.signal) === "gone") {
          this.post({ type: "groupGone", pgid: effect.pgid });
        }
        return;
      case "sweepOrphans":
        return ports.sweepOrphans(effect.signal);
      case "log":
        return ports.log(effect.event);
      case "exit":
        return ports.exit(effect.code);
      default:
        return assertNever(effect);
    }
  }

  #setAlarm(): void {
    const atMs = nextDeadline(this.#fleet);
    if (atMs === this.#alarmAtMs) return;
    this.#alarmAtMs = atMs;
    this.#ports.setAlarm(atMs);
  }
}
