/** Builds the real parts and wires them; the only module that knows them all. */
import { Alarm } from "./alarm.ts";
import type { Config } from "./config/config.ts";
import type { Event } from "./core/event.ts";
import type { LogEvent } from "./core/log-event.ts";
import { type DescriptorPlan, planDescriptors } from "./descriptor-plan.ts";
import { type FleetPlan, planFleet } from "./fleet-limits.ts";
import { openHealthServer } from "./health/open-server.ts";
import { StartError } from "./start-error.ts";
import { type Ports, Supervisor } from "./supervisor.ts";
import { type ChildRequest, isBunChild, spawnChild } from "./system/child.ts";
import { monotonicMs, setTimer } from "./system/clock.ts";
import { inheritedEnvironment } from "./system/environment.ts";
import { prepareExecStep } from "./system/exec-step.ts";
import { collectGarbageSoon } from "./system/garbage.ts";
import {
  type InheritedSockets,
  InheritedSocketsError,
  readInheritedSockets,
} from "./system/inherited-sockets.ts";
import { readOpenFileLimits } from "./system/limits.ts";
import { OomKills } from "./system/oom-kills.ts";
import { isSelfOrDescendant, peerCredentials } from "./system/peer.ts";
import { listChildren, readProcessStat } from "./system/process-table.ts";
import type { SignalSource } from "./system/signals.ts";
import { systemWaiter } from "./system/wait.ts";
import { type ExecLauncherPorts, executeWorker } from "./workers/exec-launcher.ts";
import { closeWorkerSocket, type OpenedSocket, openWorkerSocket } from "./workers/open-socket.ts";
import { OrphanReport } from "./workers/orphan-report.ts";
import { PreloadLauncher } from "./workers/preload-launcher.ts";
import { Processes } from "./workers/processes.ts";
import { Reaping } from "./workers/reaping.ts";
import { isGroupThere, killQuietly, sendToGroup, sendToProcess } from "./workers/send-signal.ts";
import { WarningLimiter } from "./workers/warning-limiter.ts";
import type { WorkerSocketPorts } from "./workers/worker-socket.ts";

export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  readonly log: (event: LogEvent) => void;
};

type Parts = {
  readonly config: Config;
  readonly plan: FleetPlan;
  readonly surroundings: Surroundings;
  readonly version: string;
  readonly sockets: InheritedSockets | undefined;
  readonly descriptors: DescriptorPlan;
};

/**
 * Supervises until it is told to stop; resolves to the exit status when no process of ours is left. The caller has
 * become a subreaper and has checked the machine.
 *
 * @throws StartError when a socket, a port or enough descriptors can't be had; nothing has been started then.
 */
export async function supervise(config: Config, surroundings: Surroundings): Promise<number> {
  const sockets = findInheritedSockets(surroundings);
  const version = config.supervisor.version ?? crypto.randomUUID();
  const descriptors = planDescriptors(config, sockets?.count ?? 0, readOpenFileLimits().soft);
  const plan = planFleet(config);
  return await new Composition({ config, plan, surroundings, version, sockets, descriptors }).run();
}

function findInheritedSockets({ environment, log }: Surroundings): InheritedSockets | undefined {
  try {
    const found = readInheritedSockets(environment);
    if (found.kind === "inherited") return found.sockets;
    if (found.kind === "foreign") {
      const fields = { listen_pid: found.pid, pid: process.pid };
      log({ level: "warning", message: "inherited sockets are another process's: not passed on", fields });
    }
    return undefined;
  } catch (error) {
    if (error instanceof InheritedSocketsError)
      throw new StartError("unavailable", error.message, { cause: error });
    throw error;
  }
}

class Composition {
  readonly #parts: Parts;
  readonly #supervisor: Supervisor;
  readonly #preloading: PreloadLauncher;
  readonly #reaping: Reaping;
  readonly #orphans: OrphanReport;
  readonly #oomKills = new OomKills();
  readonly #exit = Promise.withResolvers<number>();
  #processes: Processes | undefined;
  #socket: OpenedSocket | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#orphans = new OrphanReport(parts.surroundings.log, setTimer);
    this.#preloading = this.#createPreloading();
    this.#supervisor = this.#createSupervisor();
    this.#reaping = this.#createReaping();
  }

  async run(): Promise<number> {
    const { config, surroundings, version, descriptors } = this.#parts;
    this.#socket = await this.#openSocket();
    try {
      const verdict = () => this.#supervisor.verdict();
      const { healthConnections } = descriptors;
      const health = await openHealthServer(config.healthCheck, healthConnections, verdict, surroundings.log);
      this.#processes = this.#createProcesses(this.#socket.address);
      surroundings.log({
        level: "info",
        message: "supervisor started",
        fields: { pid: process.pid, version, socket: this.#socket.address, sets: config.sets.length },
      });
      surroundings.signals.deliverTo((signal) => this.#onSignal(signal));
      this.#supervisor.post({ type: "started" });
      this.#reaping.poke();
      const code = await this.#exit.promise;
      health?.stop();
      return code;
    } finally {
      this.#orphans.flush();
      closeWorkerSocket(this.#socket);
    }
  }

  #onSignal(signal: Parameters<Parameters<SignalSource["deliverTo"]>[0]>[0]): void {
    switch (signal) {
      case "SIGCHLD":
        return this.#reaping.onChildSignal();
      case "SIGTERM":
      case "SIGINT":
        return this.#supervisor.post({ type: "stopRequested", signal });
      case "SIGQUIT":
        return this.#supervisor.post({ type: "killRequested", signal });
      default:
        return this.#supervisor.post({ type: "signalReceived", signal });
    }
  }

  #createSupervisor(): Supervisor {
    const { log } = this.#parts.surroundings;
    const alarm = new Alarm(monotonicMs, () => this.#supervisor.post({ type: "deadlineReached" }), setTimer);
    const ports: Ports = {
      nowMs: monotonicMs,
      setAlarm: (atMs) => alarm.set(atMs),
      executeWorker: (launch) => {
        this.#prepareLaunch();
        executeWorker(launch, this.#execPorts());
      },
      spawnWorker: (spawn) => {
        this.#prepareLaunch();
        this.#preloading.spawn(spawn);
      },
      startPreloader: (ref) => {
        this.#prepareLaunch();
        this.#preloading.start(ref);
      },
      signalProcess: (pid, signal) => sendToProcess(pid, signal, log),
      signalGroup: (pgid, signal) => (this.#isGroupThere(pgid) ? sendToGroup(pgid, signal, log) : "gone"),
      sweepOrphans: (signal) => this.#reaping.sweepOrphans(signal),
      isSelfOrDescendant,
      log,
      exit: (code) => this.#exit.resolve(code),
    };
    // Unique enough that no id of an earlier life, in a file or a queue, is taken for one of this life's.
    const idPrefix = crypto.randomUUID().slice(0, 8);
    const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));
    return new Supervisor(this.#parts.plan.limits, ports, idPrefix, seed);
  }

  readonly #post = (event: Event): void => this.#supervisor.post(this.#oomKills.explain(event));

  #prepareLaunch(): void {
    collectGarbageSoon();
    this.#socket?.guard?.watch();
  }

  readonly #isGroupThere = (pgid: number): boolean =>
    isGroupThere(pgid, (pid) => isBunChild(pid) || this.#preloading.isWorker(pid));

  #execPorts(): ExecLauncherPorts {
    const { log } = this.#parts.surroundings;
    return {
      startProcess: (which, handlers) => this.#startedProcesses().startWorker(which, handlers),
      post: this.#post,
      warn: (message, fields) => log({ level: "warning", message, fields }),
      schedule: setImmediate,
    };
  }

  #createPreloading(): PreloadLauncher {
    const { config, surroundings } = this.#parts;
    return new PreloadLauncher({
      supervisorPid: process.pid,
      startProcess: (ref, onExit) => this.#startedProcesses().startPreloader(ref, onExit),
      describeSet: (index) => {
        const { name, openFiles, command } = config.sets[index] ?? missing(index);
        const expression = command.type === "ruby" ? command.startExpression : "";
        return { name, openFiles, expression };
      },
      killGroup: killQuietly,
      readBacklog: (done) => this.#socket?.socket.readBacklog(done),
      post: this.#post,
      log: surroundings.log,
      isOrphan: (pid) => !isBunChild(pid) && systemWaiter.peekPid(pid) !== "not-a-child",
      pokeReaper: () => this.#reaping.poke(),
      setTimer,
    });
  }

  #createReaping(): Reaping {
    const { log } = this.#parts.surroundings;
    return new Reaping({
      waiter: systemWaiter,
      isBunChild,
      listChildren,
      listLiving: () => listChildren().filter((pid) => readProcessStat(pid)?.state !== "Z"),
      isGroupThere: this.#isGroupThere,
      signalProcess: (pid, signal) => sendToProcess(pid, signal, log),
      reportKilled: (count) => log({ level: "warning", message: "orphans killed", fields: { count } }),
      orphans: this.#orphans,
      preloading: this.#preloading,
      supervisor: this.#supervisor,
      schedule: setImmediate,
      setTimer,
    });
  }

  #openSocket(): Promise<OpenedSocket> {
    const { config, surroundings, descriptors } = this.#parts;
    const ports: WorkerSocketPorts = {
      peerPid: (fd) => peerCredentials(fd).pid,
      offerAck: (id, peerPid, reply) => this.#supervisor.offerAck(id, peerPid, reply),
      onWorkerError: (peerPid, message) =>
        // While the worker's own pid isn't known (it is just being announced, or its exit has been seen), this much is.
        isSelfOrDescendant(peerPid, process.pid) && this.#supervisor.takeWorkerError(peerPid, message),
      onConnected: (peerPid, connection) => this.#preloading.onConnected(peerPid, connection),
      onMessage: (peerPid, connection, message) => this.#preloading.onMessage(peerPid, connection, message),
      onDisconnected: (_, connection, why) => this.#preloading.onDisconnected(connection, why),
      warn: (message, fields) => surroundings.log({ level: "warning", message, fields }),
      nowMs: monotonicMs,
      setTimer,
      limiter: new WarningLimiter(warningsPerWindow, warningWindowMs),
      maxConnections: descriptors.socketConnections,
    };
    const isAckAwaited = () => this.#supervisor.isAckAwaited();
    const guardPorts = { isAckAwaited, log: surroundings.log, setTimer };
    return openWorkerSocket(config.supervisor, surroundings.environment, ports, guardPorts);
  }

  #createProcesses(socket: string): Processes {
    const { config, plan, surroundings, version, sockets } = this.#parts;
    const service = { name: config.supervisor.name, version, socket };
    const inherited = inheritedEnvironment(surroundings.environment);
    const step = prepareExecStep();
    if (step.kind === "own-program") {
      surroundings.log({
        level: "warning",
        message: "programs are started by way of kleinhirn itself, which is slower",
        fields: { reason: step.reason },
      });
    }
    const spawn = (request: ChildRequest) => spawnChild(request, step);
    return new Processes({ config, preloaders: plan.preloaders, service, inherited, sockets, spawn });
  }

  #startedProcesses(): Processes {
    if (this.#processes === undefined) throw new Error("a launch before the start");
    return this.#processes;
  }
}

/** Refusals on the socket that are logged in a window; what is beyond is counted. */
const warningsPerWindow = 20;
const warningWindowMs = 10_000;

function missing(index: number): never {
  throw new Error(`there is no worker set ${index}`);
}
