/**
 * The parts of production, wired as src/compose.ts wires them; what is different stands behind a port: the machine is
 * simulated, and the watcher is told of what passes.
 */
import { Alarm } from "../../src/alarm.ts";
import type { Event } from "../../src/core/event.ts";
import type { FleetLimits } from "../../src/core/fleet.ts";
import { type Ports, Supervisor, type WorkerLaunch } from "../../src/supervisor.ts";
import { isSelfOrDescendant } from "../../src/system/peer.ts";
import { executeWorker } from "../../src/workers/exec-launcher.ts";
import { PreloadLauncher } from "../../src/workers/preload-launcher.ts";
import { Reaping } from "../../src/workers/reaping.ts";
import { isTakenOver } from "../../src/workers/send-signal.ts";
import { WarningLimiter } from "../../src/workers/warning-limiter.ts";
import { WorkerSocket } from "../../src/workers/worker-socket.ts";
import { supervisorPid } from "./kernel/kernel.ts";
import type { Process } from "./kernel/process.ts";
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
  readonly #reaping: Reaping;
  readonly #socket: WorkerSocket;

  constructor(limits: FleetLimits, seed: number, machine: Machine, watcher: Watcher, starter: Starter) {
    this.#machine = machine;
    this.#watcher = watcher;
    this.#starter = starter;
    this.preloading = this.#createPreloading(limits);
    this.supervisor = new WatchedSupervisor(limits, this.#createPorts(), seed, watcher);
    this.#reaping = this.#createReaping();
    this.#socket = this.#openSocket();
    machine.onChildSignal = () => this.onSignal("SIGCHLD");
  }

  start(): void {
    this.supervisor.post({ type: "started" });
    this.#reaping.poke();
  }

  onSignal(signal: SupervisorSignal): void {
    switch (signal) {
      case "SIGCHLD":
        return this.#reaping.onChildSignal();
      case "SIGTERM":
      case "SIGINT":
        return this.supervisor.post({ type: "stopRequested", signal });
      case "SIGQUIT":
        return this.supervisor.post({ type: "killRequested", signal });
      default:
        return this.supervisor.post({ type: "signalReceived", signal });
    }
  }

  #listChildren(matches: (process: Process) => boolean = () => true): number[] {
    return [...this.#machine.kernel.supervisor.children].filter(matches).map(({ pid }) => pid);
  }

  #createPorts(): Ports {
    const { clock } = this.#machine;
    const watcher = this.#watcher;
    const ring = () => this.supervisor.post({ type: "deadlineReached" });
    const alarm = new Alarm(() => clock.nowMs, ring, clock.setTimer);
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
      signalGroup: (pgid, signal) =>
        this.#isGroupThere(pgid) ? watcher.onGroupSignal(pgid, signal) : "gone",
      sweepOrphans: (signal) => this.#reaping.sweepOrphans(signal),
      isSelfOrDescendant: (peer, worker) => isSelfOrDescendant(peer, worker, this.#readStat),
      log: (event) => watcher.onLog(event),
      exit: (code) => watcher.onSupervisorExit(code),
    };
  }

  #isGroupThere(pgid: number): boolean {
    const { kernel } = this.#machine;
    return !isTakenOver(pgid, this.#isOurs, (pid) => kernel.at(pid) !== undefined) && kernel.groups.has(pgid);
  }

  readonly #isOurs = (pid: number) => this.#machine.bun.isBunChild(pid) || this.preloading.isWorker(pid);

  readonly #readStat = (pid: number) => {
    const found = this.#machine.kernel.at(pid);
    if (found === undefined) return undefined;
    const { parent, group, session } = found;
    return { state: "S", parent: parent?.pid ?? 0, group: group.pgid, session };
  };

  #executeWorker(launch: WorkerLaunch): void {
    this.#watcher.onLaunch(launch, undefined);
    executeWorker(launch, {
      startProcess: (which, handlers) => this.#starter.startWorker(which, handlers),
      post: (event) => this.supervisor.post(event),
      warn: (message, fields) => this.#watcher.onLog({ level: "warning", message, fields }),
      schedule: this.#machine.schedule,
    });
  }

  #createPreloading(limits: FleetLimits): PreloadLauncher {
    return new PreloadLauncher({
      supervisorPid,
      startProcess: (ref, onExit) => this.#starter.startPreloader(ref, onExit),
      describeSet: (set) => ({
        name: limits.sets[set]?.name ?? "",
        expression: "serve",
        openFiles: undefined,
      }),
      killGroup: (pgid) => void this.#watcher.onGroupSignal(pgid, "SIGKILL"),
      readBacklog: (done) => this.#socket.readBacklog(done),
      post: (event) => this.supervisor.post(event),
      log: (event) => this.#watcher.onLog(event),
      isOrphan: (pid) => this.#readStat(pid)?.parent === supervisorPid && !this.#machine.bun.isBunChild(pid),
      pokeReaper: () => this.#reaping.poke(),
      setTimer: this.#machine.clock.setTimer,
    });
  }

  #createReaping(): Reaping {
    const { kernel, bun, clock, schedule } = this.#machine;
    const watcher = this.#watcher;
    return new Reaping({
      waiter: createWaiter(kernel, (process) => watcher.onReaped(process)),
      isBunChild: (pid) => bun.isBunChild(pid),
      listChildren: () => this.#listChildren(),
      listLiving: () => this.#listChildren(isAlive),
      isGroupThere: (pgid) => this.#isGroupThere(pgid),
      signalProcess: (pid, signal) => watcher.onSweep(pid, signal),
      reportKilled: (count) =>
        watcher.onLog({ level: "warning", message: "orphans killed", fields: { count } }),
      orphans: { add: (pid, exit) => watcher.onOrphan(pid, exit), flush: () => {} },
      preloading: this.preloading,
      supervisor: this.supervisor,
      schedule,
      setTimer: clock.setTimer,
    });
  }

  #openSocket(): WorkerSocket {
    const { network, clock } = this.#machine;
    const { preloading, supervisor } = this;
    const ports = {
      peerPid: (fd: number) => network.peerPid(fd),
      limiter: new WarningLimiter(20, 10_000),
      nowMs: () => clock.nowMs,
      setTimer: clock.setTimer,
      warn: () => {},
    };
    return new WorkerSocket(
      "@simulation",
      {
        ...ports,
        offerAck: (id, peerPid, reply) => supervisor.offerAck(id, peerPid, reply),
        onWorkerError: (peerPid, message) =>
          isSelfOrDescendant(peerPid, supervisorPid, this.#readStat) &&
          supervisor.takeWorkerError(peerPid, message),
        onConnected: (peerPid, connection) => preloading.onConnected(peerPid, connection),
        onMessage: (peerPid, connection, message) => preloading.onMessage(peerPid, connection, message),
        onDisconnected: (_, connection, why) => preloading.onDisconnected(connection, why),
      },
      network.system(),
    );
  }
}

function isAlive({ state }: Process): boolean {
  return state === "alive";
}
