/** Does one thing after the other to a supervisor, its processes and its sockets, as the dice say. */
import { connect, type Socket } from "node:net";
import type { Dice } from "../../core/random/dice.ts";
import { Peer } from "../../helpers/peer.ts";
import { childrenOf, isAlive } from "../../helpers/processes.ts";
import type { Running } from "../../helpers/running.ts";
import { linesOf } from "../fleet.ts";

/** What was sent, to whom and when: the log's times are of the same clock. */
export type Strike = { readonly pid: number; readonly signal: NodeJS.Signals; readonly atMs: number };

type Bystanders = { readonly logReader: number; readonly outReader: number };

/** Six within a second would be one too many (`restart.period`, and at most five failures of a preloader). */
const betweenPreloadersMs = 400;

export class Monkey {
  readonly strikes: Strike[] = [];
  readonly #running: Running;
  readonly #dice: Dice;
  readonly #bystanders: Bystanders;
  readonly #stopped = new Map<number, number>();
  readonly #connections = new Set<{ readonly end: () => void; readonly untilMs: number }>();
  #preloaderStruckAtMs = 0;
  deeds = 0;

  constructor(running: Running, dice: Dice, bystanders: Bystanders) {
    this.#running = running;
    this.#dice = dice;
    this.#bystanders = bystanders;
  }

  act(): void {
    this.deeds += 1;
    this.#endWhatIsDue(performance.now());
    const deed = this.#dice.below(20);
    if (deed < 7)
      this.#strike(this.#pickVictim(), this.#dice.oneOf("SIGKILL", "SIGKILL", "SIGTERM", "SIGABRT"));
    else if (deed < 10) this.#stop(this.#pickVictim(), 1500);
    else if (deed < 11) this.#strikePreloader();
    else if (deed < 13) this.#strike(this.#pickMiddle(), "SIGKILL");
    else if (deed < 14) this.#stop(this.#pickMiddle(), 4000);
    else if (deed < 15) this.#stop(this.#running.pid, 300);
    else if (deed < 16)
      this.#stop(this.#dice.oneOf(this.#bystanders.logReader, this.#bystanders.outReader), 800);
    else if (deed < 17) this.#saySomething();
    else this.#probe();
  }

  /** Everybody goes on, every connection is closed. */
  rest(): void {
    this.#endWhatIsDue(Number.POSITIVE_INFINITY);
  }

  #endWhatIsDue(nowMs: number): void {
    for (const [pid, untilMs] of this.#stopped) {
      if (untilMs > nowMs) continue;
      this.#stopped.delete(pid);
      this.#send(pid, "SIGCONT");
    }
    for (const connection of this.#connections) {
      if (connection.untilMs > nowMs) continue;
      this.#connections.delete(connection);
      connection.end();
    }
  }

  /** Any process that comes from the supervisor: a worker, what it started, a preloader, one in the middle or in waiting. */
  #pickVictim(): number | undefined {
    const { logReader, outReader } = this.#bystanders;
    const spared = [this.#running.pid, logReader, outReader, this.#preloader()];
    return this.#dice.pick(this.#running.processes().filter((pid) => !spared.includes(pid)));
  }

  #pickMiddle(): number | undefined {
    const preloader = this.#preloader();
    return preloader === undefined ? undefined : this.#dice.pick(childrenOf(preloader));
  }

  #preloader(): number | undefined {
    const pid = linesOf(this.#running, "preloader launched").at(-1)?.pid;
    return typeof pid === "number" && isAlive(pid) ? pid : undefined;
  }

  #strikePreloader(): void {
    const now = performance.now();
    if (now - this.#preloaderStruckAtMs < betweenPreloadersMs) return;
    this.#preloaderStruckAtMs = now;
    const preloader = this.#preloader();
    if (this.#dice.chance(0.3)) this.#stop(preloader, 4000);
    else this.#strike(preloader, this.#dice.oneOf("SIGKILL", "SIGTERM"));
  }

  #strike(pid: number | undefined, signal: NodeJS.Signals): void {
    if (pid === undefined || !isAlive(pid)) return;
    // Before it is done: whatever comes of it is later, however long this process is kept waiting in between.
    const strike = { pid, signal, atMs: Date.now() };
    if (this.#send(pid, signal)) this.strikes.push(strike);
  }

  #stop(pid: number | undefined, longestMs: number): void {
    if (pid === undefined || this.#stopped.has(pid)) return;
    if (this.#send(pid, "SIGSTOP")) this.#stopped.set(pid, performance.now() + this.#dice.roll() * longestMs);
  }

  /** Only to whom comes from our supervisor: the number may be anybody's by now. */
  #send(pid: number, signal: NodeJS.Signals): boolean {
    if (!this.#running.processes().includes(pid)) return false;
    try {
      process.kill(pid, signal);
      return true;
    } catch {
      return false; // Gone between the look and the signal.
    }
  }

  /** A stranger on the supervisor's socket. */
  #saySomething(): void {
    const peer = new Peer(String(this.#running.find("supervisor started")?.socket));
    const worker = this.#dice.pick(linesOf(this.#running, "worker launched").slice(-20))?.worker;
    peer.send(
      this.#dice.oneOf("", '{"action":', "garbage\n", `${JSON.stringify({ action: "ack", id: worker })}\n`),
    );
    this.#keep(() => peer[Symbol.dispose]());
  }

  /** A connection to the health port that asks, half asks, or only is. */
  #probe(): void {
    const { port } = new URL(String(this.#running.find("health server listening")?.url));
    const socket: Socket = connect(Number(port), "127.0.0.1");
    // A reset is but another end of the connection.
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(
      this.#dice.oneOf("", "GET /heal", "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\nnonsense\r\n"),
    );
    this.#keep(() => socket.destroy());
  }

  #keep(end: () => void): void {
    this.#connections.add({ end, untilMs: performance.now() + this.#dice.roll() * 1000 });
  }
}
