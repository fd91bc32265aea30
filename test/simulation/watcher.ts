/**
 * Between production and the machine: carries out what the supervisor asks for, and holds it to what it must never do.
 * What it learns on the way it enters into the ledger.
 */
import type { Event, PreloaderRef } from "../../src/core/event.ts";
import type { ExitStatus } from "../../src/core/exit-status.ts";
import { signalNumber } from "../../src/core/exit-status.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import type { WorkerLaunch } from "../../src/supervisor.ts";
import { newPreloader, newWorker, type PreloaderFact, type WorkerFact } from "./facts.ts";
import type { Process } from "./kernel/process.ts";
import type { Ledger } from "./ledger.ts";
import type { Machine } from "./machine.ts";
import { hold } from "./violation.ts";

const killedGraceMs = 1000;

/** One for each death that is counted; so the log tells of every one. */
const deathMessages: ReadonlySet<string> = new Set([
  "worker died",
  "worker launch failed",
  "worker launch timed out",
  "worker did not ack in time",
]);

export class Watcher {
  readonly #ledger: Ledger;
  readonly #machine: Machine;
  /** Posted, and not decided yet. */
  readonly #queue: Event[] = [];
  /** Workers that have been reaped, and of which the supervisor has not been told. */
  readonly #owed = new Set<WorkerFact>();
  readonly #deathsInLog = new Map<string, number>();
  #reaped: Process | undefined;
  /** Every log event and signal, for whoever tells the story. */
  onNews: ((news: string) => void) | undefined;
  onEvent: ((event: LogEvent) => void) | undefined;
  /** Faults ceased then; nothing may be late or left since. */
  calmSinceMs = Number.POSITIVE_INFINITY;
  isChanged = true;

  constructor(ledger: Ledger, machine: Machine) {
    this.#ledger = ledger;
    this.#machine = machine;
  }

  get #nowMs(): number {
    return this.#machine.clock.nowMs;
  }

  // --- events ----------------------------------------------------------------------------------------------------

  onPosted(event: Event): void {
    this.#queue.push(event);
  }

  onDecision(): void {
    const event = this.#queue.shift();
    if (event === undefined) return; // Somebody asks for the verdict.
    this.isChanged = true;
    if (event.type === "workerExited") {
      const fact = this.#ledger.workers.get(event.id);
      if (fact !== undefined) this.#owed.delete(fact);
    }
    this.#ledger.decide(event, this.#nowMs);
  }

  /** After every step: nothing is left undecided, no exit untold. */
  checkStep(): void {
    hold(this.#queue.length === 0, "every event is decided at once");
    for (const { id } of this.#owed) hold(this.#ledger.hasExited, "every exit of a worker is told", () => id);
  }

  // --- launches --------------------------------------------------------------------------------------------------

  onLaunch({ id, set, slot }: WorkerLaunch, servant: PreloaderRef | undefined): void {
    const ledger = this.#ledger;
    const { isFaulted, limits } = ledger.setOf({ set });
    hold(ledger.isStarted && ledger.stopSinceMs === undefined, "nothing is launched after a stop", () => id);
    hold(!isFaulted, "nothing is launched in a faulted set", () => id);
    let living = 0;
    for (const fact of ledger.workers.values()) {
      if (fact.set !== set) continue;
      living += 1;
      hold(
        fact.slot !== slot,
        "a slot is used again only when its worker is gone",
        () => `${id}, ${fact.id}`,
      );
    }
    hold(living < limits.count, "never more workers than count", () => id);
    const preloader = servant && ledger.preloaderAt(servant);
    const isServed = servant === undefined || (preloader?.isReady === true && !preloader.isGone);
    hold(isServed, "a preloader is asked when it is ready", () => id);
    const requestedAtMs = this.#nowMs;
    const name = ledger.nameLaunch(set, slot);
    ledger.workers.set(id, newWorker({ id, name, set, slot, servant, requestedAtMs }));
  }

  onPreloaderStart(ref: PreloaderRef): void {
    const { preloaders, stopSinceMs, sets } = this.#ledger;
    hold(stopSinceMs === undefined, "no preloader is started after a stop");
    hold(preloaders[ref.preloader] === undefined, "one generation of a preloader at a time");
    const isWanted = sets.some(({ limits, isFaulted }) => limits.preloader === ref.preloader && !isFaulted);
    hold(isWanted, "no preloader is started for faulted sets");
    preloaders[ref.preloader] = newPreloader(ref);
  }

  // --- signals ---------------------------------------------------------------------------------------------------

  onSignal(pid: number, signal: string): void {
    const fact = this.#ledger.byPid.get(pid);
    this.onNews?.(`${signal} to process ${pid}`);
    hold(fact !== undefined, "no signal to a process that is gone", () => `${signal} to ${pid}`);
    const { process } = fact;
    const isThere = process !== undefined && this.#machine.kernel.at(pid) === process;
    hold(isThere, "no signal to a pid that is another's", () => `${signal} to ${pid}`);
    if (signal === "SIGKILL") this.#noteKill(fact);
    else if (isForwarded(signal)) hold(fact.askedAtMs === undefined, "nothing is passed on to who goes");
    else this.#noteAsk(fact, signal);
    this.#machine.kernel.signal(process, numberOf(signal));
  }

  #noteAsk(fact: WorkerFact | PreloaderFact, signal: string): void {
    const { stopSinceMs, limits } = this.#ledger;
    const isDrained = stopSinceMs !== undefined && this.#nowMs >= stopSinceMs + limits.drainDelayMs;
    if (this.#isAskedAgain(fact, signal)) return;
    hold(fact.askedAtMs === undefined, "nobody is asked to go twice", () => nameOf(fact));
    if ("id" in fact) {
      const isWanted = !fact.isOverdue && !fact.isAbandoned && !isDrained;
      hold(!isWanted, "nobody is asked to go without a reason", () => fact.id);
      hold(signal === this.#ledger.setOf(fact).limits.stopSignal, "the set's own signal asks", () => fact.id);
    } else hold(fact.mayBeAsked || stopSinceMs !== undefined, "no preloader is asked to go without a reason");
    fact.askedAtMs = this.#nowMs;
    this.isChanged = true;
  }

  /** A preloader that says hello after it was asked to go; its grace period is that of the first time. */
  #isAskedAgain(fact: WorkerFact | PreloaderFact, signal: string): boolean {
    if ("id" in fact || !fact.mayBeAskedAgain || signal !== "SIGTERM") return false;
    fact.mayBeAskedAgain = false;
    return true;
  }

  #noteKill(fact: WorkerFact | PreloaderFact): void {
    const { askedAtMs } = fact;
    const isLate = askedAtMs !== undefined && this.#nowMs >= askedAtMs + this.#graceMs(fact);
    const isKilling = this.#ledger.killingSinceMs !== undefined;
    hold(isLate || isKilling, "nobody is killed within the grace period", () => nameOf(fact));
    hold(fact.killedAtMs === undefined, "nobody is killed twice", () => nameOf(fact));
    fact.killedAtMs = this.#nowMs;
    fact.askedAtMs ??= this.#nowMs;
    this.isChanged = true;
  }

  #graceMs(fact: WorkerFact | PreloaderFact): number {
    if ("id" in fact) return this.#ledger.setOf(fact).limits.stopTimeoutMs;
    return this.#ledger.limits.preloaders[fact.ref.preloader]?.stopTimeoutMs ?? 0;
  }

  onGroupSignal(pgid: number, signal: string): "sent" | "gone" {
    const { kernel } = this.#machine;
    const known = this.#ledger.groups.get(pgid);
    const group = kernel.groups.get(pgid);
    this.onNews?.(`${signal} to group ${pgid}${group === undefined ? ", which is gone" : ""}`);
    hold(known !== undefined, "no signal to a group that nobody knows", () => String(pgid));
    if (group === undefined) return "gone";
    hold(group === known.group, "no signal to a group that is another's", () => `${signal} to ${pgid}`);
    if (known.leader.process?.state !== "gone") this.#checkGroupKill(known.leader, signal);
    kernel.signalGroup(group, numberOf(signal));
    return "sent";
  }

  /** As long as the leader is there, its group gets nothing but the KILL that is meant for the leader. */
  #checkGroupKill(leader: WorkerFact | PreloaderFact, signal: string): void {
    const isLate = leader.askedAtMs !== undefined && this.#nowMs >= leader.askedAtMs + this.#graceMs(leader);
    const mayKill = isLate || this.#ledger.killingSinceMs !== undefined;
    hold(signal === "SIGKILL" && mayKill, "the group of a worker is left alone", () => nameOf(leader));
  }

  onSweep(pid: number, signal: string): void {
    this.onNews?.(`${signal} to orphan ${pid}`);
    const { kernel } = this.#machine;
    const process = kernel.at(pid);
    hold(process?.parent === kernel.supervisor, "no signal to an orphan that is gone", () => String(pid));
    hold(this.#ledger.stopSinceMs !== undefined, "orphans are swept at the end of a stop");
    hold(!this.#ledger.byPid.has(pid), "a sweep leaves workers and preloaders alone", () => process.name);
    kernel.signal(process, numberOf(signal));
  }

  // --- ends ------------------------------------------------------------------------------------------------------

  onReaped(process: Process): void {
    this.#reaped = process;
    const fact = process.worker;
    if (fact?.process === process && fact.isWritten) this.#owed.add(fact);
  }

  /** Bun has waited for a program's worker. */
  onBunExit(fact: WorkerFact): void {
    this.#owed.add(fact);
  }

  onOrphan(pid: number, exit: ExitStatus): void {
    const process = this.#reaped;
    hold(process?.pid === pid && process.exit === exit, "an orphan's exit is its own", () => String(pid));
    const isWorker = process.worker?.process === process && process.worker.isWritten;
    hold(!isWorker, "no worker is taken for an orphan", () => process.name);
  }

  onSupervisorExit(code: number): void {
    const { stopSinceMs, killingSinceMs, exitCode, hasExited } = this.#ledger;
    this.onNews?.(`the supervisor exits with ${code}`);
    hold(!hasExited && stopSinceMs !== undefined, "the supervisor exits once, after a stop");
    hold(code === exitCode, "the exit status says how it ended", () => String(code));
    const left = this.#machine.kernel.processes.items;
    const hasGivenUp = killingSinceMs !== undefined && this.#nowMs >= killingSinceMs + killedGraceMs;
    hold(left.length === 0 || hasGivenUp, "nobody is left behind", () => namesOf(left));
    if (killingSinceMs !== undefined && this.calmSinceMs <= killingSinceMs) {
      const lost = left.filter((process) => process.state === "alive" && !isOutOfReach(process));
      hold(lost.length === 0, "nobody is left behind who could be killed", () => namesOf(lost));
    }
    this.#ledger.hasExited = true;
    this.isChanged = true;
  }

  // --- the log ---------------------------------------------------------------------------------------------------

  onLog({ level, message, fields }: LogEvent): void {
    this.onEvent?.({ level, message, fields });
    this.onNews?.(`${level}: ${message} ${JSON.stringify(fields)}`);
    if (!deathMessages.has(message)) return;
    const set = String(fields.set);
    this.#deathsInLog.set(set, (this.#deathsInLog.get(set) ?? 0) + 1);
  }

  deathsInLog(set: string): number {
    return this.#deathsInLog.get(set) ?? 0;
  }
}

function isForwarded(signal: string): boolean {
  return signal === "SIGHUP" || signal === "SIGUSR1" || signal === "SIGUSR2" || signal === "SIGWINCH";
}

function numberOf(signal: string): number {
  const number = signalNumber(signal);
  if (number === undefined) throw new Error(`there is no signal ${signal}`);
  return number;
}

export function nameOf(fact: WorkerFact | PreloaderFact): string {
  return "id" in fact
    ? `${fact.id} (${fact.name})`
    : `preloader ${fact.ref.preloader}.${fact.ref.generation}`;
}

/** In an uninterruptible sleep, or a child of somebody in it: it is not ours as long as that one is there. */
function isOutOfReach({ isStuck, pending, parent }: Process): boolean {
  return (isStuck && pending.has(9)) || (parent !== undefined && isOutOfReach(parent));
}

function namesOf(processes: readonly Process[]): string {
  return processes.map(({ name }) => name).join(", ");
}
