/** The processes that workers and preloaders are: what each is started with. */
import type { Config, WorkerSetConfig } from "../config/config.ts";
import type { PreloaderRef } from "../core/event.ts";
import type { ExitStatus } from "../core/exit-status.ts";
import type { PreloaderPlan } from "../fleet-limits.ts";
import type { WorkerLaunch } from "../supervisor.ts";
import type { ChildRequest, SpawnedChild } from "../system/child.ts";
import { explainExecStepExit } from "../system/exec-step-status.ts";
import type { InheritedSockets } from "../system/inherited-sockets.ts";
import { baseEnvironment, type Environment, type ServiceIdentity, workerEnvironment } from "./environment.ts";
import type { WorkerHandlers } from "./exec-launcher.ts";
import { type Gem, locateGem, preloaderCommand } from "./preloader-command.ts";

export type ProcessOptions = {
  readonly config: Config;
  readonly preloaders: readonly PreloaderPlan[];
  readonly service: ServiceIdentity;
  /** What the supervisor hands down of its own environment. */
  readonly inherited: Environment;
  readonly sockets: InheritedSockets | undefined;
  readonly spawn: (request: ChildRequest) => SpawnedChild;
};

/** Both throw an `OperatingSystemError` when the system refuses. */
export class Processes {
  readonly #options: ProcessOptions;
  /** Made once: five hundred workers need not have five hundred copies of the same variables. */
  readonly #environments: readonly Environment[];
  readonly #gem: Gem = locateGem();

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#environments = options.config.sets.map((set) => baseEnvironment(options.inherited, set));
  }

  startWorker({ id, set: index, slot }: WorkerLaunch, handlers: WorkerHandlers): SpawnedChild {
    const set = this.#setAt(index);
    if (set.command.type !== "program") throw new Error(`worker set ${set.name} is not a program`);
    const { service, sockets, spawn } = this.#options;
    const [program] = set.command.cmdline;
    const ack = { variable: "KLEINHIRN_STATUS_FD", onData: handlers.onAckData, onEnd: () => {} };
    return spawn({
      argv: set.command.cmdline,
      cwd: set.cwd,
      environment: workerEnvironment(this.#environments[index] ?? {}, service, { id, set: set.name, slot }),
      openFiles: set.openFiles,
      listen: sockets && { ...sockets, isAnnounced: true },
      ack: set.ack === "message" ? ack : undefined,
      onExit: (exit) => handlers.onExit(exit, explainExecStepExit(exit, program)),
    });
  }

  startPreloader({ preloader, generation }: PreloaderRef, onExit: (exit: ExitStatus) => void): SpawnedChild {
    const { preloaders, service, sockets, spawn, inherited } = this.#options;
    const plan = preloaders[preloader];
    if (plan === undefined) throw new Error(`there is no preloader ${preloader}`);
    const base = baseEnvironment(inherited, plan.set);
    const start = { gem: this.#gem, generation, sockets };
    const { cmdline, env, input } = preloaderCommand(plan.ruby, base, service, start);
    return spawn({
      argv: cmdline,
      cwd: plan.set.cwd,
      environment: env,
      openFiles: undefined,
      // The preloader must not take the sockets for its own: its workers are told of them, each with its own pid.
      listen: sockets && { ...sockets, isAnnounced: false },
      ack: undefined,
      input,
      onExit,
    });
  }

  #setAt(index: number): WorkerSetConfig {
    const set = this.#options.config.sets[index];
    if (set === undefined) throw new Error(`there is no worker set ${index}`);
    return set;
  }
}
