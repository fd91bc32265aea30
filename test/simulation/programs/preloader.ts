/** The Ruby preloader, as ruby/lib/kleinhirn_loader has it: one thread that never waits for one launch alone. */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import type { Dice } from "../../core/random/dice.ts";
import type { PreloaderFact, WorkerFact } from "../facts.ts";
import type { Connection } from "../kernel/connection.ts";
import type { Fate } from "../kernel/fates.ts";
import type { Process, Program, Reaction } from "../kernel/process.ts";
import type { Machine } from "../machine.ts";
import { DoubleFork } from "./double-fork.ts";
import { isStopSignal, type Manners, signals } from "./manners.ts";

export type PreloaderPorts = {
  readonly findWorker: (id: string) => WorkerFact | undefined;
  readonly becomeWorker: (fact: WorkerFact, process: Process) => void;
  readonly onConnected: (connection: Connection) => void;
  /** It signals a process of which it knows no more than the pid. */
  readonly onKill: (victim: Process) => void;
};

/** As the gem: so long after the last request, one is forked for the next. */
const aheadAfterMs = 50;
const aheadTimeoutMs = 1000;

type Load = "well" | "fails" | "hangs" | "dies";

export class PreloaderProgram implements Program {
  readonly reapsAtOnce = false;
  readonly name: string;
  readonly #machine: Machine;
  readonly #ports: PreloaderPorts;
  readonly #load: Load;
  readonly #manners: Manners;
  readonly #hello: "well" | "foreign" | "none";
  readonly #splitsLines: boolean;
  readonly #forksAhead: boolean;
  /** When the next is to be forked ahead of need; undefined: not before the next request. */
  #aheadAtMs: number | undefined;
  #forkedAhead = 0;
  /** As Ruby does in the first moments of its start. */
  losesEarlySignals: boolean;
  #process: Process | undefined;
  #control: Connection | undefined;
  #step = 0;
  #isTold = false;
  /** Its connection broke under its hands. */
  #hasLost = false;
  /** It has closed its connection itself, and does not know. */
  isAdrift = false;
  #launches: DoubleFork[] = [];
  /** What is left of a line that was written in two. */
  #rest: { readonly text: string; readonly launch: DoubleFork } | undefined;
  #opening: DoubleFork | undefined;
  /** The supervisor knows that this one waits. */
  #told: DoubleFork | undefined;

  constructor(machine: Machine, fact: PreloaderFact, ports: PreloaderPorts) {
    this.#machine = machine;
    this.#ports = ports;
    this.name = `p${fact.ref.preloader}.${fact.ref.generation}`;
    const fate = machine.fates.of(this.name);
    this.#load = drawLoad(fate);
    this.#manners = fate.isTroubled(0.1) ? "deaf" : "graceful";
    this.#hello = fate.isTroubled(0.05) ? fate.oneOf("foreign", "none") : "well";
    this.#splitsLines = fate.isTroubled(0.3);
    this.#forksAhead = fate.chance(0.6);
    this.losesEarlySignals = fate.isTroubled(0.3);
  }

  begin(process: Process): void {
    this.#process = process;
    this.#machine.kernel.setReady(process, true);
  }

  react(signal: number): Reaction {
    if (!isStopSignal(signal)) return "ignored";
    if (this.#manners === "deaf" || this.#process === undefined) return "ignored";
    if (this.#step === 0 && this.losesEarlySignals) return "ignored";
    this.#isTold = true;
    this.#machine.kernel.setReady(this.#process, true);
    return "handled";
  }

  onChildExit(): void {
    this.#wake();
  }

  #wake(): void {
    if (this.#process?.state === "alive") this.#machine.kernel.setReady(this.#process, true);
  }

  run(dice: Dice): void {
    const process = this.#process;
    if (process === undefined) return;
    if (this.#isTold) return this.#leaveWhenTold(process);
    if (this.isAdrift) return this.#machine.kernel.setReady(process, false);
    if (this.#control?.isCut) return this.#leave(process, 0);
    this.#step += 1;
    if (this.#step === 1) return this.#connect(process);
    if (this.#step === 2) return this.#say('{"action":"loading","file":"/app.rb"}\n');
    if (this.#step === 3) return this.#loadCode(process);
    this.#serve(process, dice);
  }

  #connect(process: Process): void {
    const control = this.#machine.network.connect(process);
    this.#control = control;
    control.onNews = () => this.#wake();
    this.#ports.onConnected(control);
    if (this.#hello === "none") return this.#machine.kernel.setReady(process, false);
    const protocol = this.#hello === "well" ? 1 : 2;
    control.write(`{"action":"hello","pid":${process.pid},"protocol":${protocol}}\n`);
  }

  #loadCode(process: Process): void {
    switch (this.#load) {
      case "well":
        return this.#say('{"action":"ready"}\n');
      case "fails":
        this.#say('{"action":"error","message":"no such file","error":"app.rb:1"}\n');
        return this.#leave(process, 1);
      case "hangs":
        this.#step -= 1;
        return this.#machine.kernel.setReady(process, false);
      case "dies":
        return this.#machine.kernel.exit(process, { kind: "signaled", signal: signals.kill });
    }
  }

  #say(line: string, announces?: WorkerFact): void {
    if (this.#control?.write(line, announces) === false) this.#hasLost = true;
  }

  /** TERM while it loads raises an exception there, which is reported. */
  #leaveWhenTold(process: Process): void {
    if (this.#step <= 3)
      this.#say('{"action":"error","message":"interrupted by SIGTERM","error":"app.rb:2"}\n');
    this.#leave(process, this.#step <= 3 ? 1 : 0);
  }

  #leave(process: Process, code: number): void {
    const exit: ExitStatus = { kind: "exited", code };
    for (const launch of this.#launches) if (!launch.isClosed) this.#abandon(launch);
    this.#machine.kernel.exit(process, exit);
  }

  #abandon(launch: DoubleFork): void {
    launch.kill(this.#ports.onKill);
    launch.close();
  }

  /** One turn of its loop: what has become of the launches, then one request. */
  #serve(process: Process, dice: Dice): void {
    if (this.#hasLost) return this.#leave(process, 0);
    if (this.#finishLine()) return;
    for (const launch of this.#launches) this.#advance(launch, dice);
    this.#launches = this.#launches.filter((launch) => !launch.isClosed || launch.middleExit === undefined);
    const isBusy = this.#opening !== undefined || this.#rest !== undefined;
    const line = isBusy ? undefined : this.#control?.readLine();
    if (line !== undefined) this.#spawn(process, line);
    else if (!isBusy) this.#forkAhead(process);
    this.#machine.kernel.setReady(process, isBusy || this.#control?.hasLine === true);
  }

  /** The gate is opened when the kernel has taken the whole line; between the two it may be killed. */
  #finishLine(): boolean {
    if (this.#rest !== undefined) {
      const { text, launch } = this.#rest;
      this.#rest = undefined;
      this.#announce(text, launch);
      return true;
    }
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.openGate();
    return opening !== undefined;
  }

  #advance(launch: DoubleFork, dice: Dice): void {
    launch.reapMiddle();
    if (launch.isClosed || launch === this.#opening || launch === this.#rest?.launch) return;
    if (this.#opening !== undefined || this.#rest !== undefined) return this.#wake();
    const reason = this.#reasonToGiveUp(launch);
    if (reason !== undefined) {
      if (launch.fact !== undefined)
        this.#say(`{"action":"failed","id":"${launch.fact.id}","message":"${reason}"}\n`);
      return this.#abandon(launch);
    }
    if (!launch.isWaiting || launch.middleExit === undefined || launch.worker === undefined) return;
    if (launch.fact === undefined) return this.#tellOfStandby(launch, launch.worker.pid);
    const line = `{"action":"launched","id":"${launch.fact.id}","pid":${launch.worker.pid}}\n`;
    if (!this.#splitsLines) return this.#announce(line, launch);
    const cut = 1 + dice.below(line.length - 1);
    this.#say(line.slice(0, cut));
    this.#rest = { text: line.slice(cut), launch };
  }

  #tellOfStandby(launch: DoubleFork, pid: number): void {
    if (this.#told === launch) return;
    this.#told = launch;
    this.#say(`{"action":"standby","pid":${pid}}\n`);
  }

  #announce(text: string, launch: DoubleFork): void {
    if (launch.fact !== undefined) launch.fact.isWritten = this.#control?.isCut === false;
    this.#say(text, launch.fact);
    this.#opening = launch;
    this.#wake();
  }

  #reasonToGiveUp(launch: DoubleFork): string | undefined {
    if (launch.failure !== undefined) return launch.failure;
    if (launch.isWaiting && launch.middleExit !== undefined) return undefined;
    if (launch.isSilent && !launch.isWaiting && launch.middleExit !== undefined) return "it ended too soon";
    return this.#machine.clock.nowMs >= launch.deadlineMs ? "it took too long" : undefined;
  }

  #spawn(process: Process, line: string): void {
    // The supervisor wrote it, by src/protocol/messages.ts.
    const { id, timeout_ms } = JSON.parse(line) as { id: string; timeout_ms: number };
    const fact = this.#ports.findWorker(id);
    const control = this.#control;
    if (fact === undefined || control === undefined) return;
    this.#aheadAtMs = this.#machine.clock.nowMs + aheadAfterMs;
    this.#machine.clock.setTimer(() => this.#wake(), aheadAfterMs);
    // The look at it comes after the request has been read, so whoever is reaped by then is not announced.
    const ready = this.#launches.find((launch) => this.#isAtHand(launch));
    if (ready !== undefined) return this.#hand(ready, fact);
    const launch = this.#fork(process, control, fact.name, timeout_ms);
    if (launch === undefined)
      return this.#say(`{"action":"failed","id":"${id}","message":"no more","errno":"EAGAIN"}\n`);
    launch.serve(fact);
  }

  #isAtHand({ fact, isClosed, isWaiting, middleExit, worker }: DoubleFork): boolean {
    const isReady = isWaiting && middleExit !== undefined && worker?.state === "alive";
    return fact === undefined && !isClosed && isReady;
  }

  #hand(launch: DoubleFork, fact: WorkerFact): void {
    launch.serve(fact);
    this.#wake();
  }

  #fork(process: Process, control: Connection, name: string, timeoutMs: number): DoubleFork | undefined {
    const { clock } = this.#machine;
    const launch = new DoubleFork(this.#machine, name, process, clock.nowMs + timeoutMs, {
      becomeWorker: this.#ports.becomeWorker,
      onNews: () => this.#wake(),
    });
    if (!launch.begin(control, this.#launches)) return undefined;
    this.#launches.push(launch);
    clock.setTimer(() => this.#wake(), timeoutMs);
    return launch;
  }

  #forkAhead(process: Process): void {
    const isDue = this.#aheadAtMs !== undefined && this.#machine.clock.nowMs >= this.#aheadAtMs;
    if (!isDue || !this.#forksAhead || this.#control === undefined) return;
    if (this.#launches.some(({ isClosed }) => !isClosed)) return;
    this.#aheadAtMs = undefined;
    this.#forkedAhead += 1;
    this.#fork(process, this.#control, `${this.name}+${this.#forkedAhead}`, aheadTimeoutMs);
  }

  /** Closes its connection and goes on, deaf to what happens. */
  lose(): void {
    if (this.#process === undefined || this.#control === undefined) return;
    this.#control.close(this.#process);
    this.isAdrift = true;
  }
}

function drawLoad(fate: Fate): Load {
  if (fate.isTroubled(0.1)) return "fails";
  if (fate.isTroubled(0.1)) return "hangs";
  return fate.isTroubled(0.1) ? "dies" : "well";
}
