/**
 * The parts of production, wired as src/compose.ts wires them; what is different stands behind a port: the machine is
 * simulated, and the watcher is told of what passes.
 */
import { Alarm } from "../../src/alarm.ts";
import type { Event } from "../../src/core/event.ts";
import type { ExitStatus } from "../../src/core/exit-status.ts";
import { signalNumber } from "../../src/core/exit-status.ts";
import type { FleetLimits } from "../../src/core/fleet.ts";
import { OrphanSweep } from "../../src/orphan-sweep.ts";
import { type Ports, Supervisor, type WorkerLaunch } from "../../src/supervisor.ts";
import { isSelfOrDescendant } from "../../src/system/peer.ts";
import { createReaper, type Reaper } from "../../src/system/reaper.ts";
import { executeWorker } from "../../src/workers/exec-launcher.ts";
import { PreloadLauncher } from "../../src/workers/preload-launcher.ts";
import { WarningLimiter } from "../../src/workers/warning-limiter.ts";
import { WorkerSocket } from "../../src/workers/worker-socket.ts";
import { createWaiter } from "./kernel/waiter.ts";
import type { Machine } from "./machine.ts";
import type { Starter } from "./starter.ts";
import type { Watcher } from "./watcher.ts";

export type SupervisorSignal = "SIGCHLD" | "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGUSR1";

/** The production class, which tells the watcher of every event: also of those that it posts to itself. */
class WatchedSupervisor extends Supervisor {
  readonly #watcher: Watcher;

  constructor(limits: FleetLimits, ports: Ports, seed: number, watcher: Watcher) {
    super(limits, ports, "w", seed);
    this.#watcher = watcher;
  }

  override post(event: Event): void {
    this.#watcher.onPosted(event);
    super.post(event);
  }
}

export class Production {
  readonly supervisor: Supervisor;
  readonly preloading: PreloadLauncher;
  readonly #machine: Machine;
  readonly #watcher: Watcher;
  readonly #starter: Starter;
  readonly #reaper: Reaper;
  readonly #sweep: OrphanSweep;
  readonly #socket: WorkerSocket;

  constructor(limits: FleetLimits, seed: number, machine: Machine, watcher: Watcher, starter: Starter) {
    this.#machine = machine;
    this.#watcher = watcher;
    this.#starter = starter;
    this.preloading = this.#createPreloading(limits);
    this.supervisor = new WatchedSupervisor(limits, this.#createPorts(), seed, watcher);
    this.#reaper = this.#createReaper();
    this.#sweep = new OrphanSweep({
      listChildren: () => this.#listChildren(),
      isKnown: (pid) => machine.bun.isBunChild(pid) || this.preloading.isWorker(pid),
      signalProcess: (pid, signal) => watcher.onSweep(pid, signal),
      pokeReaper: () => this.#reaper.poke(),
      setTimer: machine.clock.setTimer,
    });
    this.#socket = this.#openSocket();
    machine.onChildSignal = () => this.onSignal("SIGCHLD");
  }

  start(): void {
    this.supervisor.post({ type: "started" });
    this.#reaper.poke();
  }

  onSignal(signal: SupervisorSignal): void {
    switch (signal) {
      case "SIGCHLD":
        this.#reaper.poke();
        return this.#sweep.look();
      case "SIGTERM":
      case "SIGINT":
        return this.supervisor.post({ type: "stopRequested", signal });
      case "SIGQUIT":
        return this.supervisor.post({ type: "killRequested", signal });
      default:
        return this.supervisor.post({ type: "signalReceived", signal });
    }
  }

  #listChildren(): number[] {
    return [...this.#machine.kernel.supervisor.children].map(({ pid }) => pid);
  }

  #createPorts(): Ports {
    const { clock, kernel } = this.#machine;
    const watcher = this.#watcher;
    const ring = () => this.supervisor.post({ type: "deadlineReached" });
    const alarm = new Alarm(() => clock.nowMs, ring, clock.setTimer);
    const lookUp = (pid: number) => {
      const found = kernel.at(pid);
      if (found === undefined) return undefined;
      const { parent, group, session } = found;
      return { state: "S", parent: parent?.pid ?? 0, group: group.pgid, session };
    };
    return {
      nowMs: () => {
        watcher.onDecision();
        return clock.nowMs;
      },
      setAlarm: (atMs) => alarm.set(atMs),
      executeWorker: (launch) => this.#executeWorker(launch),
      spawnWorker: (spawn) => {
        watcher.onLaunch(spawn, { preloader: spawn.preloader, generation: spawn.generation });
        this.preloading.spawn(spawn);
      },
      startPreloader: (ref) => {
        watcher.onPreloaderStart(ref);
        this.preloading.start(ref);
      },
      signalProcess: (pid, signal) => watcher.onSignal(pid, signal),
      signalGroup: (pgid, signal) => watcher.onGroupSignal(pgid, signal),
      sweepOrphans: (signal) => this.#sweep.begin(signal),
      isSelfOrDescendant: (peer, worker) => isSelfOrDescendant(peer, worker, lookUp),
      log: (event) => watcher.onLog(event),
      exit: (code) => watcher.onSupervisorExit(code),
    };
  }

  #executeWorker(launch: WorkerLaunch): void {
    this.#watcher.onLaunch(launch, undefined);
    executeWorker(launch, {
      startProcess: (which, handlers) => this.#starter.startWorker(which, handlers),
      post: (event) => this.supervisor.post(event),
      warn: (message, fields) => this.#watcher.onLog({ level: "warning", message, fields }),
    });
  }

  #createPreloading(limits: FleetLimits): PreloadLauncher {
    return new PreloadLauncher({
      startProcess: (ref, onExit) => this.#starter.startPreloader(ref, onExit),
      describeSet: (set) => ({ name: limits.sets[set]?.name ?? "", expression: "serve", openFiles: undefined }),
      killGroup: (pgid) => void this.#watcher.onGroupSignal(pgid, "SIGKILL"),
      readBacklog: (done) => this.#socket.readBacklog(done),
      post: (event) => this.supervisor.post(event),
      log: (event) => this.#watcher.onLog(event),
      pokeReaper: () => this.#reaper.poke(),
      setTimer: this.#machine.clock.setTimer,
    });
  }

  #createReaper(): Reaper {
    const { kernel, bun, schedule } = this.#machine;
    const watcher = this.#watcher;
    return createReaper({
      waiter: createWaiter(kernel, (process) => watcher.onReaped(process)),
      isBunChild: (pid) => bun.isBunChild(pid),
      isOurs: (pid) => this.preloading.isWorker(pid),
      ourPids: () => this.preloading.workerPids(),
      oldestPendingLaunch: () => this.preloading.oldestPendingLaunch(),
      nextLaunchSequence: () => this.preloading.nextLaunchSequence(),
      listChildren: () => this.#listChildren(),
      onExit: (pid, exit) => this.preloading.onWorkerExit(pid, exit),
      onOrphan: (pid, exit) => this.#onOrphan(pid, exit),
      onNoChildren: () => {
        if (!this.#sweep.isActive) return;
        this.#sweep.end();
        this.supervisor.post({ type: "childrenGone" });
      },
      schedule,
    });
  }

  #onOrphan(pid: number, exit: ExitStatus): void {
    this.#sweep.forget(pid);
    this.#watcher.onOrphan(pid, exit);
  }

  #openSocket(): WorkerSocket {
    const { network, clock } = this.#machine;
    const { preloading, supervisor } = this;
    const ports = {
      peerPid: (fd: number) => network.peerPid(fd),
      limiter: new WarningLimiter(20, 10_000),
      nowMs: () => clock.nowMs,
      warn: () => {},
    };
    return new WorkerSocket(
      "@simulation",
      {
        ...ports,
        offerAck: (id, peerPid, reply) => supervisor.offerAck(id, peerPid, reply),
        onWorkerError: (peerPid, message) => supervisor.takeWorkerError(peerPid, message),
        onConnected: (peerPid, connection) => preloading.onConnected(peerPid, connection),
        onMessage: (peerPid, connection, message) => preloading.onMessage(peerPid, connection, message),
        onDisconnected: (peerPid, connection, why) => preloading.onDisconnected(peerPid, connection, why),
      },
      network.system(),
    );
  }
}

export function numberOf(signal: string): number {
  const number = signalNumber(signal);
  if (number === undefined) throw new Error(`there is no signal ${signal}`);
  return number;
}
