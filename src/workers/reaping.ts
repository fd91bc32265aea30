/**
 * What becomes of processes that end: a worker's exit goes to its launcher, an orphan's into the log; at the end of a stop
 * what is left is swept. Wires the reaper, the sweep and the orphans' report, in production and in the simulation.
 */
import type { ExitStatus } from "../core/exit-status.ts";
import { OrphanSweep, type OrphanSweepPorts } from "../orphan-sweep.ts";
import type { Supervisor } from "../supervisor.ts";
import { createReaper, type Reaper, type ReaperPorts } from "../system/reaper.ts";
import type { PreloadLauncher } from "./preload-launcher.ts";

export type ReapingPorts = Pick<ReaperPorts, "waiter" | "isBunChild" | "listChildren" | "schedule"> &
  Pick<OrphanSweepPorts, "signalProcess" | "reportKilled" | "setTimer"> & {
    /** Children that are no zombies. */
    readonly listLiving: () => readonly number[];
    /** Whether anybody is left in the group that one of ours has led. */
    readonly isGroupThere: (pgid: number) => boolean;
    readonly orphans: OrphanSink;
    readonly preloading: Pick<
      PreloadLauncher,
      | "isWorker"
      | "isStandby"
      | "forgetStandby"
      | "workerPids"
      | "oldestPendingLaunch"
      | "nextLaunchSequence"
      | "onWorkerExit"
    >;
    readonly supervisor: Pick<Supervisor, "post" | "forgetEmptyGroups">;
  };

/** Is told of every orphan that has been reaped, but for a standby. */
export type OrphanSink = {
  readonly add: (pid: number, exit: ExitStatus) => void;
  /** Nothing may be held back any more: the supervisor is about to end. */
  readonly flush: () => void;
};

export class Reaping {
  readonly #ports: ReapingPorts;
  readonly #reaper: Reaper;
  readonly #sweep: OrphanSweep;
  #hasReapedOrphans = false;

  constructor(ports: ReapingPorts) {
    this.#ports = ports;
    this.#reaper = this.#createReaper();
    const { signalProcess, reportKilled, setTimer, listLiving } = ports;
    this.#sweep = new OrphanSweep({
      listChildren: listLiving,
      isKnown: (pid) => ports.isBunChild(pid) || ports.preloading.isWorker(pid),
      isStandby: (pid) => ports.preloading.isStandby(pid),
      signalProcess,
      reportKilled,
      pokeReaper: () => this.poke(),
      setTimer,
    });
  }

  /** Looks for exits; see `Reaper.poke`. */
  poke(): void {
    this.#reaper.poke();
    const { supervisor, isGroupThere } = this.#ports;
    if (this.#hasReapedOrphans) supervisor.forgetEmptyGroups(isGroupThere);
    this.#hasReapedOrphans = false;
  }

  /** SIGCHLD: a child has ended, and its own children may be ours now. */
  onChildSignal(): void {
    this.poke();
    this.#sweep.look();
  }

  /** Signals every child that is neither worker nor preloader, until there is none; then `childrenGone` is posted. */
  sweepOrphans(signal: "SIGTERM" | "SIGKILL"): void {
    this.#sweep.begin(signal);
  }

  #createReaper(): Reaper {
    const { waiter, isBunChild, listChildren, schedule, preloading } = this.#ports;
    return createReaper({
      waiter,
      isBunChild,
      isOurs: (pid) => preloading.isWorker(pid),
      ourPids: () => preloading.workerPids(),
      oldestPendingLaunch: () => preloading.oldestPendingLaunch(),
      nextLaunchSequence: () => preloading.nextLaunchSequence(),
      listChildren,
      onExit: (pid, exit) => preloading.onWorkerExit(pid, exit),
      onOrphan: (pid, exit) => this.#onOrphan(pid, exit),
      onNoChildren: () => this.#onNoChildren(),
      schedule,
    });
  }

  #onOrphan(pid: number, exit: ExitStatus): void {
    this.#hasReapedOrphans = true;
    this.#sweep.forget(pid);
    if (!this.#ports.preloading.forgetStandby(pid)) this.#ports.orphans.add(pid, exit);
  }

  #onNoChildren(): void {
    if (!this.#sweep.isActive) return;
    this.#sweep.end();
    // Before the end of the stop that waited for them: `stopped` is the last event in the log.
    this.#ports.orphans.flush();
    this.#ports.supervisor.post({ type: "childrenGone" });
  }
}
