/** A world in which nothing goes wrong by itself: a scenario says, step by step, what happens. */
import type { FleetLimits } from "../../src/core/fleet.ts";
import { Dice } from "../core/random/dice.ts";
import { recover } from "./calm.ts";
import { Fates } from "./kernel/fates.ts";
import type { Process, Program } from "./kernel/process.ts";
import { moves, type Verb } from "./moves.ts";
import { World } from "./world.ts";

/** Waits for ever, and ends by any signal. */
const idle: Program = { reapsAtOnce: true, run: () => {}, react: () => "default" };

export class Scene {
  readonly world: World;
  /** Signals and log events, as the story tells them. */
  readonly news: string[] = [];
  readonly #dice = new Dice(1);

  constructor(limits: FleetLimits, pids = 50) {
    this.world = new World(limits, { pids, socketCapacityBytes: 4096 }, new Fates(1, 0), 1);
    this.world.watcher.onNews = (news) => void this.news.push(news);
    this.world.production.start();
    this.world.settle();
  }

  /** It has to be possible. */
  play(verb: Verb, name = "-"): void {
    const played = moves[verb].play(this.world, this.#dice, (all) =>
      all.findIndex((target) => target.name === name),
    );
    if (played === undefined) throw new Error(`nobody to ${verb}: ${name}`);
    this.world.settle();
  }

  run(name: string, times: number): void {
    for (let time = 0; time < times; time += 1) this.play("run", name);
  }

  /** Everything that is there of this source, and of nothing else. */
  read(name: string): void {
    const { sources } = this.world.machine.inbox;
    const isThere = () => sources.items.some((source) => source.name === name);
    if (!isThere()) throw new Error(`nothing to read: ${name}`);
    while (isThere()) this.play("read", name);
  }

  /** Nothing is read meanwhile, however long it takes. */
  pass(ms: number): void {
    const { clock } = this.world.machine;
    const untilMs = clock.nowMs + ms;
    for (let next = clock.nextTimer(); next !== undefined && next.atMs <= untilMs; next = clock.nextTimer()) {
      clock.fire(next);
      this.world.settle();
    }
    clock.nowMs = untilMs;
  }

  /** Until everything is as it should be. */
  comeRight(): void {
    recover(this.world, this.#dice);
  }

  process(name: string): Process {
    const found = this.world.machine.kernel.processes.items.find((process) => process.name === name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  }

  fork(parent: string, name: string): Process {
    return this.#fork(this.process(parent), name);
  }

  /** What a worker of long ago has left behind: a process of its own session. */
  appear(name: string): Process {
    const { kernel } = this.world.machine;
    const child = this.#fork(kernel.supervisor, name);
    kernel.setSession(child);
    return child;
  }

  #fork(parent: Process, name: string): Process {
    const child = this.world.machine.kernel.fork(parent, name, idle);
    if (child === undefined) throw new Error(`no pid is left for ${name}`);
    return child;
  }

  /** Other processes come and go until this is the next pid that the kernel gives out. */
  goRoundTo(pid: number): void {
    const { kernel } = this.world.machine;
    for (let tries = 0; kernel.nextPid() !== pid; tries += 1) {
      if (tries > 1000) throw new Error(`pid ${pid} is taken`);
      kernel.bury(this.#fork(kernel.supervisor, "passing"));
    }
  }
}
