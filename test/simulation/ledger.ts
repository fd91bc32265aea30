/**
 * What the specification says must be counted and answered, worked out from what the supervisor is told, in the order in
 * which it decides, and from what it does. Nothing here looks at its state.
 */
import { assertNever } from "../../src/core/assert-never.ts";
import type { Event, PreloaderRef } from "../../src/core/event.ts";
import type { FleetLimits, SetLimits } from "../../src/core/fleet.ts";
import type { KnownGroup, PreloaderFact, WorkerFact } from "./facts.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { Process } from "./kernel/process.ts";
import { hold } from "./violation.ts";

export type SetAccount = {
  readonly limits: SetLimits;
  deaths: number[];
  deathsEver: number;
  isFaulted: boolean;
  hasRun: boolean;
};

export class Ledger {
  readonly limits: FleetLimits;
  readonly sets: readonly SetAccount[];
  /** Asked for and not gone, by id. */
  readonly workers = new Map<string, WorkerFact>();
  readonly preloaders: (PreloaderFact | undefined)[];
  /** Of those that have been announced and are not gone, by pid. */
  readonly byPid = new Map<number, WorkerFact | PreloaderFact>();
  readonly groups = new Map<number, KnownGroup>();
  isStarted = false;
  stopSinceMs: number | undefined;
  killingSinceMs: number | undefined;
  exitCode = 0;
  hasExited = false;
  readonly #kernel: Kernel;
  readonly #failures: number[][];
  /** By place. */
  readonly #launches = new Map<string, number>();
  #stopSignals = 0;

  constructor(limits: FleetLimits, kernel: Kernel) {
    this.limits = limits;
    this.#kernel = kernel;
    this.sets = limits.sets.map((set) => newAccount(set));
    this.preloaders = limits.preloaders.map(() => undefined);
    this.#failures = limits.preloaders.map(() => []);
  }

  setOf({ set }: { set: number }): SetAccount {
    const account = this.sets[set];
    if (account === undefined) throw new Error(`there is no set ${set}`);
    return account;
  }

  servantOf(fact: WorkerFact): PreloaderFact | undefined {
    return fact.servant && this.preloaderAt(fact.servant);
  }

  nameLaunch(set: number, slot: number): string {
    const place = `${this.setOf({ set }).limits.name}.${slot}`;
    const launches = (this.#launches.get(place) ?? 0) + 1;
    this.#launches.set(place, launches);
    return `${place}#${launches}`;
  }

  /** Only the generation that is there now. */
  preloaderAt({ preloader, generation }: PreloaderRef): PreloaderFact | undefined {
    const fact = this.preloaders[preloader];
    return fact?.ref.generation === generation ? fact : undefined;
  }

  /** The supervisor decides on this event now; what it did before is done. */
  decide(event: Event, nowMs: number): void {
    if (this.hasExited) return;
    this.#note(event, nowMs);
    if (!this.isStarted || this.stopSinceMs !== undefined) return;
    if (this.limits.onFault === "exit" && this.sets.some(({ isFaulted }) => isFaulted)) {
      this.exitCode = 1;
      return this.#stop(nowMs);
    }
    for (const [set, account] of this.sets.entries()) {
      if (!account.isFaulted && this.countReady(set) === account.limits.count) account.hasRun = true;
    }
  }

  #note(event: Event, nowMs: number): void {
    switch (event.type) {
      case "started":
        this.isStarted = true;
        return;
      case "workerLaunched":
        return this.#announceWorker(event.id, event.pid, nowMs);
      case "workerLaunchFailed":
        return this.#failLaunch(this.workers.get(event.id), event.shortage !== undefined, nowMs);
      case "workerAcked":
        return this.#ack(this.workers.get(event.id));
      case "workerExited":
        return this.#buryWorker(event, nowMs);
      case "stopRequested":
        this.#stopSignals += 1;
        if (this.stopSinceMs === undefined) return this.#stop(nowMs);
        if (this.#stopSignals > 1) this.#kill(nowMs);
        return;
      case "killRequested":
        this.#stopSignals += 1;
        this.#stop(nowMs);
        return this.#kill(nowMs);
      case "deadlineReached":
        return this.#checkTimes(nowMs);
      case "childrenGone":
        hold(this.#kernel.supervisor.children.size === 0, "children are gone when there are none");
        return;
      case "groupGone":
      case "signalReceived":
        return;
      default:
        return this.#notePreloader(event, nowMs);
    }
  }

  #notePreloader(event: Extract<Event, PreloaderRef>, nowMs: number): void {
    const fact = this.preloaderAt(event);
    if (fact === undefined) return; // An earlier generation.
    switch (event.type) {
      case "preloaderLaunched":
        return this.#announcePreloader(fact, event.pid, nowMs);
      case "preloaderConnected":
        fact.mayBeAskedAgain = fact.askedAtMs !== undefined;
        return;
      case "preloaderReady":
        fact.isReady = fact.isAnnounced && fact.askedAtMs === undefined;
        return;
      case "preloaderGone":
        return this.#losePreloader(fact, nowMs);
      case "preloaderLaunchFailed":
        return this.#buryPreloader(fact, event.shortage !== undefined, nowMs);
      case "preloaderExited":
        return this.#buryPreloader(fact, false, nowMs);
      case "preloaderDisconnected":
        fact.mayBeAsked = true;
        return;
      case "preloaderFailed":
        return;
      default:
        return assertNever(event);
    }
  }

  // --- workers ---------------------------------------------------------------------------------------------------

  #announceWorker(id: string, pid: number, nowMs: number): void {
    const fact = this.workers.get(id);
    const { process } = fact ?? {};
    // Withdrawn with its preloader, whose lines have all been read by then: there is no other way to be unknown.
    hold(fact !== undefined, "no worker is announced that nobody waits for", () => id);
    hold(process?.pid === pid && fact.isWritten, "a worker is announced with its own pid", () => id);
    const isPinned = this.#kernel.at(pid) === process || fact.servant === undefined;
    hold(isPinned, "the pid of a worker is not used again before it is announced", () => id);
    if (fact.isAnnounced) return;
    fact.isAnnounced = true;
    fact.pid = pid;
    fact.launchedAtMs = nowMs;
    this.byPid.set(pid, fact);
    this.#knowGroup(process, fact);
  }

  #knowGroup(process: Process | undefined, leader: WorkerFact | PreloaderFact): void {
    if (process === undefined) return;
    this.groups.set(process.pid, { group: process.group, leader, emptyByMs: Number.POSITIVE_INFINITY });
  }

  /** Strays get TERM now and KILL after the grace period. */
  #loseLeader(leader: WorkerFact | PreloaderFact, byMs: number): void {
    const known = this.groups.get(leader.process?.pid ?? 0);
    if (known?.leader === leader) known.emptyByMs = byMs;
  }

  #failLaunch(fact: WorkerFact | undefined, isShort: boolean, nowMs: number): void {
    if (fact === undefined || fact.isAnnounced) return;
    // That the machine is short of something is nobody's death.
    if (!fact.isAbandoned && !isShort) this.#countDeath(fact.set, nowMs);
    this.workers.delete(fact.id);
  }

  #ack(fact: WorkerFact | undefined): void {
    if (fact?.isAnnounced && fact.askedAtMs === undefined) fact.isAcked = true;
  }

  #buryWorker({ id, exit }: Extract<Event, { type: "workerExited" }>, nowMs: number): void {
    const fact = this.workers.get(id);
    hold(fact !== undefined, "an exit is told once, of a worker that is there", () => id);
    const { process } = fact;
    hold(process?.state === "gone", "no exit is told of a process that is there", () => id);
    hold(Bun.deepEquals(process.exit, exit), "a worker's exit is its own", () => id);
    if (fact.askedAtMs === undefined && !fact.isAbandoned) this.#countDeath(fact.set, nowMs);
    fact.isBuried = true;
    this.#loseLeader(fact, nowMs + this.setOf(fact).limits.stopTimeoutMs);
    this.workers.delete(id);
    if (this.byPid.get(fact.pid) === fact) this.byPid.delete(fact.pid);
  }

  #countDeath(set: number, nowMs: number): void {
    const account = this.setOf({ set });
    account.deaths.push(nowMs);
    account.deathsEver += 1;
    // In a stop nothing is launched anyway: a set that goes down with its container is no emergency.
    if (this.stopSinceMs !== undefined) return;
    if (this.recentDeaths(set, nowMs) > account.limits.restart.intensity) account.isFaulted = true;
  }

  recentDeaths(set: number, nowMs: number): number {
    const { deaths, limits } = this.setOf({ set });
    let recent = 0;
    for (const atMs of deaths) if (nowMs - atMs < limits.restart.periodMs) recent += 1;
    return recent;
  }

  isReady(fact: WorkerFact): boolean {
    if (!fact.isAnnounced || fact.isAbandoned || fact.askedAtMs !== undefined) return false;
    return fact.isAcked || !this.setOf(fact).limits.needsAck;
  }

  countReady(set: number): number {
    let ready = 0;
    for (const fact of this.workers.values()) if (fact.set === set && this.isReady(fact)) ready += 1;
    return ready;
  }

  // --- preloaders ------------------------------------------------------------------------------------------------

  #announcePreloader(fact: PreloaderFact, pid: number, nowMs: number): void {
    fact.isAnnounced = true;
    fact.launchedAtMs = nowMs;
    this.byPid.set(pid, fact);
    this.#knowGroup(fact.process, fact);
  }

  #losePreloader(fact: PreloaderFact, nowMs: number): void {
    if (fact.process === undefined) return;
    hold(fact.process.state === "gone", "no preloader is called gone while it lives");
    fact.isGone = true;
    this.#loseLeader(fact, nowMs + (this.limits.preloaders[fact.ref.preloader]?.stopTimeoutMs ?? 0));
    this.byPid.delete(fact.process.pid);
  }

  #buryPreloader(fact: PreloaderFact, isShort: boolean, nowMs: number): void {
    const { process, ref } = fact;
    hold(process === undefined || fact.isGone, "a preloader's end is told when it is gone");
    for (const worker of [...this.workers.values()]) {
      if (this.servantOf(worker) !== fact || worker.isAnnounced) continue;
      hold(!worker.isWritten, "no announcement is lost with its preloader", () => worker.id);
      this.workers.delete(worker.id);
    }
    this.preloaders[ref.preloader] = undefined;
    if (!isShort) this.#countFailure(ref.preloader, nowMs);
  }

  /** Not one that was asked for, and not when nobody needs a preloader any more. */
  #countFailure(preloader: number, nowMs: number): void {
    const served = this.sets.filter(({ limits }) => limits.preloader === preloader);
    if (this.stopSinceMs !== undefined || served.every(({ isFaulted }) => isFaulted)) return;
    const failures = this.#failures[preloader];
    const restart = this.limits.preloaders[preloader]?.restart;
    if (failures === undefined || restart === undefined) return;
    failures.push(nowMs);
    if (failures.filter((atMs) => nowMs - atMs < restart.periodMs).length <= restart.intensity) return;
    for (const account of served) account.isFaulted = true;
  }

  // --- time and stops --------------------------------------------------------------------------------------------

  #checkTimes(nowMs: number): void {
    for (const fact of this.#inSlotOrder()) this.#checkWorker(fact, nowMs);
    for (const fact of this.preloaders) {
      const loadTimeoutMs = fact && this.limits.preloaders[fact.ref.preloader]?.loadTimeoutMs;
      if (fact === undefined || loadTimeoutMs === undefined || !fact.isAnnounced || fact.isReady) continue;
      if (nowMs >= fact.launchedAtMs + loadTimeoutMs) fact.mayBeAsked = true;
    }
    if (this.stopSinceMs !== undefined && nowMs >= this.stopSinceMs + this.limits.shutdownTimeoutMs) {
      this.#kill(nowMs);
    }
  }

  #inSlotOrder(): WorkerFact[] {
    return [...this.workers.values()].sort((a, b) => a.set - b.set || a.slot - b.slot);
  }

  #checkWorker(fact: WorkerFact, nowMs: number): void {
    const { launchTimeoutMs, ackTimeoutMs, needsAck } = this.setOf(fact).limits;
    if (!fact.isAnnounced) {
      const servant = this.servantOf(fact);
      // The end of a preloader that has been asked to go withdraws its launches, and that is no death.
      const isWithdrawn = servant !== undefined && isLeaving(servant);
      if (fact.isAbandoned || isWithdrawn || nowMs < fact.requestedAtMs + launchTimeoutMs) return;
      fact.isAbandoned = true;
      if (servant !== undefined) servant.isLate = servant.mayBeAsked = true;
      this.#countDeath(fact.set, nowMs);
    } else if (needsAck && !fact.isAcked && fact.askedAtMs === undefined && !fact.isAbandoned) {
      if (nowMs < fact.launchedAtMs + (ackTimeoutMs ?? Number.POSITIVE_INFINITY)) return;
      fact.isOverdue = true;
      this.#countDeath(fact.set, nowMs);
    }
  }

  #stop(nowMs: number): void {
    this.stopSinceMs ??= nowMs;
    for (const fact of this.workers.values()) if (!fact.isAnnounced) fact.isAbandoned = true;
  }

  #kill(nowMs: number): void {
    this.killingSinceMs ??= nowMs;
  }
}

function newAccount(limits: SetLimits): SetAccount {
  return { limits, deaths: [], deathsEver: 0, isFaulted: false, hasRun: false };
}

function isLeaving({ askedAtMs, isLate, isGone }: PreloaderFact): boolean {
  return askedAtMs !== undefined || isLate || isGone;
}
