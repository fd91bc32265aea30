/**
 * The least world that the core can be led through: which processes there are, what has been asked of them, and who
 * has been told. It knows the kernel's rules that matter (a pid is used again as soon as neither a process nor a
 * group has it), and throws when the core asks for something that it must never ask for.
 */
import type { Effect, Signal } from "../../../src/core/effect.ts";
import type { Event, WorkerId } from "../../../src/core/event.ts";
import type { FleetLimits, SetLimits } from "../../../src/core/fleet.ts";

export type WorkerFact = {
  readonly id: WorkerId;
  readonly set: number;
  readonly slot: number;
  readonly generation: number | undefined;
  readonly requestedAtMs: number;
  /** undefined until it has been announced. */
  pid: number | undefined;
  launchedAtMs: number;
  isAcked: boolean;
  isAbandoned: boolean;
  askedAtMs: number | undefined;
  isKilled: boolean;
};

export type PreloaderFact = {
  readonly generation: number;
  pid: number | undefined;
  launchedAtMs: number;
  isReady: boolean;
  /** It has just said hello, and may have lost what was asked of it before. */
  mayBeAskedAgain: boolean;
  askedAtMs: number | undefined;
  isKilled: boolean;
};

/** A member of a group whose leader has exited. */
export type StrayFact = { readonly pid: number; readonly pgid: number; isAsked: boolean; isKilled: boolean };

export class World {
  readonly limits: FleetLimits;
  workers = new Map<WorkerId, WorkerFact>();
  preloaders: (PreloaderFact | undefined)[];
  strays: StrayFact[] = [];
  sweep: Signal | undefined;
  exits: number[] = [];
  /** Answers that are due at once, as the supervisor's own queue delivers them. */
  owed: Event[] = [];
  /** Of workers that are gone, the newest last: for late and repeated events. */
  gone: WorkerId[] = [];

  constructor(limits: FleetLimits) {
    this.limits = limits;
    this.preloaders = limits.preloaders.map(() => undefined);
  }

  clone(): World {
    const copy = new World(this.limits);
    for (const [id, fact] of this.workers) copy.workers.set(id, { ...fact });
    copy.preloaders = this.preloaders.map((fact) => fact && { ...fact });
    copy.strays = this.strays.map((fact) => ({ ...fact }));
    copy.sweep = this.sweep;
    copy.exits = [...this.exits];
    copy.owed = [...this.owed];
    copy.gone = [...this.gone];
    return copy;
  }

  setOf(fact: WorkerFact): SetLimits {
    const limits = this.limits.sets[fact.set];
    if (limits === undefined) throw new Error(`the core named a set ${fact.set}`);
    return limits;
  }

  workersOf(set: number): WorkerFact[] {
    return [...this.workers.values()].filter((fact) => fact.set === set);
  }

  /** The preloader's process, if it is there and is the one that this launch was asked of. */
  servantOf(fact: WorkerFact): PreloaderFact | undefined {
    const { preloader } = this.setOf(fact);
    const servant = preloader === undefined ? undefined : this.preloaders[preloader];
    return servant?.generation === fact.generation ? servant : undefined;
  }

  hasProcesses(): boolean {
    const isBorn = ({ pid }: { pid: number | undefined }) => pid !== undefined;
    const leaders = [...this.workers.values(), ...this.preloaders.filter((fact) => fact !== undefined)];
    return this.strays.length > 0 || leaders.some(isBorn);
  }

  /** The lowest that the kernel could give out: numbers are used again as soon as ever possible. */
  freePid(): number {
    const taken = new Set<number | undefined>();
    for (const { pid } of this.workers.values()) taken.add(pid);
    for (const fact of this.preloaders) taken.add(fact?.pid);
    for (const { pid, pgid } of this.strays) taken.add(pid).add(pgid);
    let pid = 3;
    while (taken.has(pid)) pid += 1;
    return pid;
  }

  leaderOf(pgid: number): WorkerFact | PreloaderFact | undefined {
    for (const fact of this.workers.values()) if (fact.pid === pgid) return fact;
    return this.preloaders.find((fact) => fact?.pid === pgid);
  }

  isGroupEmpty(pgid: number): boolean {
    return this.leaderOf(pgid) === undefined && !this.strays.some((stray) => stray.pgid === pgid);
  }

  /** Takes note of what an event says about the world, before the core is told. */
  deliver(event: Event, nowMs: number): void {
    if (event.type === "workerLaunched") this.#announce(this.workers.get(event.id), event.pid, nowMs);
    if (event.type === "workerAcked") this.#noteAck(event.id);
    if (event.type === "workerExited" || event.type === "workerLaunchFailed") this.#bury(event);
    if (!("generation" in event)) return;
    const fact = this.preloaders[event.preloader];
    if (fact?.generation !== event.generation) return;
    if (event.type === "preloaderLaunched") this.#announce(fact, event.pid, nowMs);
    fact.mayBeAskedAgain = event.type === "preloaderConnected" && !fact.isKilled;
    if (event.type === "preloaderReady" && fact.pid !== undefined) fact.isReady = true;
    if (event.type === "preloaderExited") this.#buryPreloader(event.preloader, fact);
    if (event.type === "preloaderLaunchFailed" && fact.pid === undefined)
      this.preloaders[event.preloader] = undefined;
  }

  #announce(fact: WorkerFact | PreloaderFact | undefined, pid: number, nowMs: number): void {
    if (fact === undefined || fact.pid !== undefined) return;
    fact.pid = pid;
    fact.launchedAtMs = nowMs;
  }

  #noteAck(id: WorkerId): void {
    const fact = this.workers.get(id);
    if (fact?.pid !== undefined && fact.askedAtMs === undefined) fact.isAcked = true;
  }

  #bury(event: Extract<Event, { type: "workerExited" | "workerLaunchFailed" }>): void {
    const fact = this.workers.get(event.id);
    if (fact === undefined) return;
    if (event.type === "workerLaunchFailed" && fact.pid !== undefined) return;
    this.#forget(fact.id);
    this.#leaveStray(fact);
  }

  #forget(id: WorkerId): void {
    this.workers.delete(id);
    this.gone = [...this.gone.slice(-9), id];
  }

  #buryPreloader(index: number, fact: PreloaderFact): void {
    for (const worker of [...this.workers.values()]) {
      const isWithdrawn = worker.pid === undefined && this.servantOf(worker) === fact;
      if (isWithdrawn) this.#forget(worker.id);
    }
    this.preloaders[index] = undefined;
    this.#leaveStray(fact);
  }

  /** Every third process leaves one behind, unless the group got KILL. */
  #leaveStray({ pid, isKilled }: WorkerFact | PreloaderFact): void {
    if (pid === undefined || isKilled || pid % 3 !== 0) return;
    this.strays.push({ pid: this.freePid(), pgid: pid, isAsked: false, isKilled: false });
  }

  apply(effects: readonly Effect[], nowMs: number): void {
    for (const effect of effects) this.#applyOne(effect, effects, nowMs);
  }

  #applyOne(effect: Effect, siblings: readonly Effect[], nowMs: number): void {
    switch (effect.type) {
      case "executeWorker":
        return this.#request(effect, undefined, nowMs);
      case "spawnWorker":
        return this.#request(effect, effect.generation, nowMs);
      case "startPreloader":
        return this.#startPreloader(effect.preloader, effect.generation);
      case "signalProcess":
        return this.#signal(effect.pid, effect.signal, nowMs);
      case "signalGroup":
        return this.#signalGroup(effect.pgid, effect.signal, siblings);
      case "sweepOrphans":
        this.sweep = effect.signal;
        for (const stray of this.strays) mark(stray, effect.signal);
        return;
      case "exit":
        this.exits.push(effect.code);
        return;
      case "log":
        return;
    }
  }

  #request(
    { id, set, slot }: { id: WorkerId; set: number; slot: number },
    generation: number | undefined,
    nowMs: number,
  ): void {
    const rival = this.workersOf(set).find((fact) => fact.slot === slot);
    if (rival !== undefined) throw new Error(`${id} is to use the slot of ${rival.id}, which is not gone`);
    if (this.workers.has(id) || this.gone.includes(id)) throw new Error(`the id ${id} is used twice`);
    const fact = { id, set, slot, generation, requestedAtMs: nowMs, launchedAtMs: nowMs };
    const asked = { isAcked: false, isAbandoned: false, askedAtMs: undefined, isKilled: false };
    this.workers.set(id, { ...fact, ...asked, pid: undefined });
    const servant = this.servantOf({ ...fact, ...asked, pid: undefined });
    const needsServant = this.limits.sets[set]?.preloader !== undefined;
    if (needsServant && (servant?.isReady !== true || servant.askedAtMs !== undefined)) {
      throw new Error(`${id} is asked of a preloader that is not ready`);
    }
  }

  #startPreloader(index: number, generation: number): void {
    if (this.preloaders[index] !== undefined) throw new Error(`preloader ${index} is started twice`);
    const asked = { mayBeAskedAgain: false, askedAtMs: undefined, isKilled: false };
    this.preloaders[index] = { generation, pid: undefined, launchedAtMs: 0, isReady: false, ...asked };
  }

  #signal(pid: number, signal: Signal, nowMs: number): void {
    const fact = this.leaderOf(pid);
    if (fact === undefined) throw new Error(`${signal} for process ${pid}, which has exited`);
    if (signal === "SIGKILL") return this.#kill(fact, nowMs);
    if (signal === "SIGTERM" && "mayBeAskedAgain" in fact && fact.mayBeAskedAgain) {
      fact.mayBeAskedAgain = false;
      fact.askedAtMs ??= nowMs;
      return;
    }
    if (fact.askedAtMs !== undefined) throw new Error(`${signal} for ${pid}, which has been asked to go`);
    if (signal === "SIGTERM") fact.askedAtMs = nowMs;
  }

  #kill(fact: WorkerFact | PreloaderFact, nowMs: number): void {
    if (fact.isKilled) throw new Error(`process ${fact.pid} is killed twice`);
    fact.isKilled = true;
    fact.askedAtMs ??= nowMs;
  }

  #signalGroup(pgid: number, signal: Signal, siblings: readonly Effect[]): void {
    const isKill = (effect: Effect) =>
      effect.type === "signalProcess" && effect.pid === pgid && effect.signal === "SIGKILL";
    // The group of a process that lives gets nothing but the KILL that is meant for that process.
    if (this.leaderOf(pgid) !== undefined && !(signal === "SIGKILL" && siblings.some(isKill))) {
      throw new Error(`${signal} for the group of process ${pgid}, which lives`);
    }
    for (const stray of this.strays) if (stray.pgid === pgid) mark(stray, signal);
    if (this.isGroupEmpty(pgid)) this.owed.push({ type: "groupGone", pgid });
  }
}

function mark(stray: StrayFact, signal: Signal): void {
  if (signal === "SIGKILL") stray.isKilled = true;
  else stray.isAsked = true;
}
