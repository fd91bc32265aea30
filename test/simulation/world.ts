/** One supervisor in one simulated machine, and the promises that it is held to. */
import type { FleetLimits } from "../../src/core/fleet.ts";
import { AckJudge } from "./ack-judge.ts";
import type { Fates } from "./kernel/fates.ts";
import { Ledger } from "./ledger.ts";
import { Machine, type MachineLimits } from "./machine.ts";
import { Production } from "./production.ts";
import { Starter } from "./starter.ts";
import { checkVerdict, stateOf } from "./verdict-check.ts";
import { hold } from "./violation.ts";
import { nameOf, Watcher } from "./watcher.ts";

/** Alarms are rounded up to whole milliseconds. */
const roundingMs = 2;

export class World {
  readonly limits: FleetLimits;
  readonly machine: Machine;
  readonly ledger: Ledger;
  readonly watcher: Watcher;
  readonly acks: AckJudge;
  readonly starter: Starter;
  readonly production: Production;
  readonly #counts: number[];

  constructor(limits: FleetLimits, machineLimits: MachineLimits, fates: Fates, seed: number) {
    this.limits = limits;
    this.#counts = limits.sets.map(() => 0);
    this.machine = new Machine(machineLimits, fates);
    this.ledger = new Ledger(limits, this.machine.kernel);
    this.watcher = new Watcher(this.ledger, this.machine);
    this.acks = new AckJudge(this.ledger);
    this.starter = new Starter(this.machine, this.ledger, this.watcher, this.acks);
    this.machine.onExit = (process) => this.starter.onExit(process);
    this.production = new Production(limits, seed, this.machine, this.watcher, this.starter);
  }

  get isOver(): boolean {
    return this.ledger.hasExited;
  }

  /** Nothing is left to be read or done: only time can bring something. */
  get isQuiet(): boolean {
    const { inbox, kernel } = this.machine;
    return inbox.sources.size === 0 && kernel.runnable.size === 0;
  }

  /** Nor has time brought something already. */
  get isAtRest(): boolean {
    const { clock } = this.machine;
    return this.isQuiet && (clock.nextTimer()?.atMs ?? Number.POSITIVE_INFINITY) > clock.nowMs;
  }

  /** After whatever has happened: what was put off for the end of the turn, then the promises. */
  settle(): void {
    const { microtasks } = this.machine.bun;
    for (let task = microtasks.shift(); task !== undefined; task = microtasks.shift()) task();
    this.watcher.checkStep();
    this.machine.kernel.looks = 0;
    if (!this.watcher.isChanged) return;
    this.watcher.isChanged = false;
    this.#checkCounts();
    checkVerdict(this.production.supervisor.verdict(), this.ledger, this.watcher, this.machine.clock.nowMs);
  }

  /** By the processes themselves, whoever knows of them: all that run a worker's program and were not asked to go. */
  #checkCounts(): void {
    const counts = this.#counts.fill(0);
    for (const { fact } of this.starter.workers.items) {
      if (fact.askedAtMs === undefined && !fact.isAbandoned) counts[fact.set] = (counts[fact.set] ?? 0) + 1;
    }
    for (const [set, count] of counts.entries()) {
      const most = this.limits.sets[set]?.count ?? 0;
      hold(count <= most || this.isOver, "never more workers than count", () => `${count} in set ${set}`);
    }
  }

  /** Every set runs, or is faulted for good, or the supervisor stops. */
  get isSettled(): boolean {
    return this.ledger.sets.every((_, set) => {
      const state = stateOf(this.ledger, set);
      return state === "running" || state === "faulted" || state === "draining" || state === "stopped";
    });
  }

  /** Nothing is left to be read or done but what time will bring: then nothing may be forgotten either. */
  checkRest(): void {
    const { kernel } = this.machine;
    for (const { state, name } of kernel.supervisor.children) {
      const isPinned = [...this.ledger.workers.values()].some(({ isAnnounced }) => !isAnnounced);
      hold(state !== "zombie" || isPinned, "every zombie is reaped", () => name);
    }
    this.acks.checkNobodyWaits();
    for (const { group, emptyByMs, leader } of this.ledger.groups.values()) {
      const isInTime = this.machine.clock.nowMs < emptyByMs + roundingMs;
      // Of what is dead, but not waited for by its own parent, nothing is left but the number.
      const isEmpty = [...group.members].every(({ state }) => state !== "alive");
      hold(isInTime || isEmpty, "no stray outlasts the grace period", () => nameOf(leader));
    }
    for (const pid of this.production.preloading.workerPids()) {
      hold(this.ledger.byPid.has(pid), "who is gone is forgotten", () => String(pid));
    }
  }
}
