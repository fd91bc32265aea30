/**
 * Starts preloaders, asks them for workers, and turns what they say into events.
 *
 * A preloader's end is told by two things that arrive in any order: the exit of its process, and the end of its
 * connection. `preloaderExited` is posted when both are there, so that a `launched` line that was written before
 * the death is never missed.
 */
import type { Event, PreloaderRef, WorkerId } from "../core/event.ts";
import type { ExitStatus } from "../core/exit-status.ts";
import type { LogEvent } from "../core/log-event.ts";
import { encodeSpawn, type PreloaderMessage } from "../protocol/messages.ts";
import type { WorkerSpawn } from "../supervisor.ts";
import { shortageNamed, shortageOf } from "../system/shortage.ts";
import type { SetTimer } from "../timer.ts";
import { type Connection, PreloaderLink } from "./preloader-link.ts";

/** The version of docs/PROTOCOL.md that is spoken here. */
const protocolVersion = 1;

/**
 * How long after its process a preloader's connection may stay open. Its group gets KILL at once, and that closes
 * it; a process that left the group with the connection in its hands is cut off after this.
 */
const cutOffAfterMs = 1000;

/**
 * A process that dies closes its connection first and is reported dead a moment later: only one that is still there
 * after this has lost nothing but its connection, and has to be told to go.
 */
const deathFollowsWithinMs = 500;

export type PreloadLauncherPorts = {
  /** Ours: workers have to be children of it. */
  readonly supervisorPid: number;
  /** Throws when the operating system refuses. */
  readonly startProcess: (ref: PreloaderRef, onExit: (exit: ExitStatus) => void) => { readonly pid: number };
  /** What the spawn line needs to know of a worker set. */
  readonly describeSet: (set: number) => {
    readonly name: string;
    readonly expression: string;
    readonly openFiles: number | undefined;
  };
  readonly killGroup: (pgid: number) => void;
  /** Calls back when every connection that was made before now has been accepted. */
  readonly readBacklog: (done: () => void) => void;
  readonly post: (event: Event) => void;
  readonly log: (event: LogEvent) => void;
  /** Whether this is a child of ours, be it a zombie, that Bun has not started. */
  readonly isOrphan: (pid: number) => boolean;
  /** Look again for exits: a pid has become known, or launches have been answered. */
  readonly pokeReaper: () => void;
  readonly setTimer: SetTimer;
};

export class PreloadLauncher {
  readonly #ports: PreloadLauncherPorts;
  /** Not by pid: that of a preloader which has been reaped may be a newer one's while the last words of the old are read. */
  readonly #links = new Set<PreloaderLink>();
  readonly #workers = new Map<number, WorkerId>();
  /** Processes that preloaders have forked ahead of need, until they are announced as workers or reaped. */
  readonly #standbys = new Set<number>();
  #nextSequence = 1;

  constructor(ports: PreloadLauncherPorts) {
    this.#ports = ports;
  }

  start({ preloader, generation }: PreloaderRef): void {
    const ref = { preloader, generation };
    try {
      const { pid } = this.#ports.startProcess(ref, (exit) => this.#onProcessExit(ref, exit));
      this.#links.add(new PreloaderLink(ref, pid));
      this.#ports.post({ type: "preloaderLaunched", ...ref, pid });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#ports.post({ type: "preloaderLaunchFailed", ...ref, message, ...shortageOf(error) });
    }
  }

  spawn({ id, set, slot, timeoutMs, ...ref }: WorkerSpawn): void {
    const link = this.#find(ref);
    // Its end is on the way here and will withdraw this launch.
    if (link?.control === undefined) return;
    const { name, expression, openFiles } = this.#ports.describeSet(set);
    link.pending.set(id, this.#nextSequence);
    this.#nextSequence += 1;
    const worker = { id, set: name, slot, expression };
    link.control.send(
      encodeSpawn({ ...worker, timeoutMs, openFiles, supervisorPid: this.#ports.supervisorPid }),
    );
  }

  // --- what the reaper asks -------------------------------------------------------------------------------------

  /** True for a forked worker whose pid has been announced. */
  isWorker(pid: number): boolean {
    return this.#workers.has(pid);
  }

  workerPids(): Iterable<number> {
    return this.#workers.keys();
  }

  /** True for a process that a preloader has forked ahead of need. */
  isStandby(pid: number): boolean {
    return this.#standbys.has(pid);
  }

  /** To be called when an orphan has been reaped. @returns whether it was a standby, whose end concerns nobody. */
  forgetStandby(pid: number): boolean {
    return this.#standbys.delete(pid);
  }

  /** Sequence number of the oldest launch that is not answered; Infinity: every one is. */
  oldestPendingLaunch(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const link of this.#links) {
      for (const sequence of link.pending.values()) oldest = Math.min(oldest, sequence);
    }
    return oldest;
  }

  nextLaunchSequence(): number {
    return this.#nextSequence;
  }

  onWorkerExit(pid: number, exit: ExitStatus): void {
    const id = this.#workers.get(pid);
    if (id === undefined) return;
    this.#workers.delete(pid);
    this.#ports.post({ type: "workerExited", id, exit });
  }

  // --- what the socket asks -------------------------------------------------------------------------------------

  /** A connection from this process was accepted; false: it is no preloader of ours. */
  onConnected(peerPid: number, connection: Connection): boolean {
    // Connections of one that is gone come before the end of its backlog; later, its pid is somebody else's.
    const links = [...this.#links].filter(({ pid, isBacklogRead }) => pid === peerPid && !isBacklogRead);
    const link = links.find(({ exit }) => exit !== undefined) ?? links[0];
    link?.connections.add(connection);
    return link !== undefined;
  }

  /** @returns why the message is refused and the connection to be closed, or undefined. */
  onMessage(peerPid: number, connection: Connection, message: PreloaderMessage): string | undefined {
    const link = this.#linkOf(connection);
    if (link === undefined) return `process ${peerPid} is no preloader of this supervisor`;
    if (message.action === "hello") return this.#onHello(link, connection, message);
    if (link.control !== connection) return `"${message.action}" came before "hello"`;
    this.#onControlMessage(link, message);
    return undefined;
  }

  onDisconnected(connection: Connection, reason: string): void {
    const link = this.#linkOf(connection);
    if (link === undefined) return;
    link.connections.delete(connection);
    if (link.isFinished()) return this.#finish(link);
    if (link.control !== connection) return;
    this.#ports.setTimer(() => {
      if (link.exit === undefined) this.#ports.post({ type: "preloaderDisconnected", ...link.ref, reason });
    }, deathFollowsWithinMs);
  }

  // ----------------------------------------------------------------------------------------------------------------

  #onHello(link: PreloaderLink, connection: Connection, hello: PreloaderMessage & { action: "hello" }) {
    if (link.control !== undefined) return `"hello" came twice`;
    if (hello.pid !== link.pid) return `"hello" names pid ${hello.pid}, the kernel says ${link.pid}`;
    if (hello.protocol !== protocolVersion) {
      const reason = `the preloader speaks protocol ${hello.protocol}, this kleinhirn speaks ${protocolVersion}; use the gem that comes with it`;
      this.#ports.post({ type: "preloaderDisconnected", ...link.ref, reason });
      return reason;
    }
    link.control = connection;
    this.#ports.post({ type: "preloaderConnected", ...link.ref });
    return undefined;
  }

  #onControlMessage(link: PreloaderLink, message: Exclude<PreloaderMessage, { action: "hello" }>): void {
    const { post } = this.#ports;
    switch (message.action) {
      case "loading":
        return this.#log(link, {
          level: "debug",
          message: "preloader loading",
          fields: { file: message.file },
        });
      case "ready":
        return post({ type: "preloaderReady", ...link.ref });
      case "standby":
        return this.#onStandby(link, message.pid);
      case "launched":
        return this.#onLaunched(link, message.id, message.pid);
      case "failed":
        if (link.pending.delete(message.id)) {
          const shortage = shortageNamed(message.errno);
          post({ type: "workerLaunchFailed", id: message.id, message: message.message, ...shortage });
        }
        return this.#ports.pokeReaper();
      case "error":
        return post({
          type: "preloaderFailed",
          ...link.ref,
          message: message.message,
          backtrace: message.error,
        });
      case "log":
        return this.#log(link, { level: message.level, message: message.message, fields: message.fields });
    }
  }

  /** Whether it may become a worker. Of one that is not our child we would never see the end, and we would signal a stranger. */
  #isAvailable(pid: number): boolean {
    return !this.#workers.has(pid) && this.#ports.isOrphan(pid);
  }

  /** It may have died before this was read: its number must not be kept for whoever gets it next. */
  #onStandby(link: PreloaderLink, pid: number): void {
    if (!this.#isAvailable(pid)) return;
    this.#standbys.add(pid);
    this.#log(link, {
      level: "debug",
      message: "preloader has forked ahead of need",
      fields: { standby: pid },
    });
  }

  #onLaunched(link: PreloaderLink, id: WorkerId, pid: number): void {
    // Only what was asked for can be launched: anything else would make a worker out of a stranger's pid.
    if (!link.pending.delete(id)) {
      const fields = { worker: id, worker_pid: pid };
      return this.#log(link, {
        level: "warning",
        message: "preloader launched what nobody asked for",
        fields,
      });
    }
    if (this.#isAvailable(pid)) {
      this.#standbys.delete(pid);
      this.#workers.set(pid, id);
      this.#ports.post({ type: "workerLaunched", id, pid });
    } else {
      const message = `process ${pid} was announced and is no child of the supervisor that is free; a child subreaper below it (prctl(2)) would take workers away`;
      this.#ports.post({ type: "workerLaunchFailed", id, message });
    }
    this.#ports.pokeReaper();
  }

  #onProcessExit(ref: PreloaderRef, exit: ExitStatus): void {
    const link = this.#find(ref);
    if (link === undefined) return;
    link.exit = exit;
    // A fork in the middle of its work, perhaps hung in a hook, may still hold the connection.
    this.#ports.killGroup(link.pid);
    this.#ports.post({ type: "preloaderGone", ...link.ref });
    const cancelCutOff = this.#ports.setTimer(() => this.#cutOff(link), cutOffAfterMs);
    this.#ports.readBacklog(() => {
      link.isBacklogRead = true;
      if (!link.isFinished()) return;
      cancelCutOff();
      this.#finish(link);
    });
  }

  #cutOff(link: PreloaderLink): void {
    if (!this.#links.has(link)) return;
    for (const connection of [...link.connections]) {
      link.connections.delete(connection);
      connection.close();
    }
    this.#finish(link);
  }

  #finish(link: PreloaderLink): void {
    if (link.exit === undefined || !this.#links.delete(link)) return;
    this.#ports.post({ type: "preloaderExited", ...link.ref, exit: link.exit });
    this.#ports.pokeReaper();
  }

  #find(ref: PreloaderRef): PreloaderLink | undefined {
    for (const link of this.#links) {
      if (link.ref.preloader === ref.preloader && link.ref.generation === ref.generation) return link;
    }
    return undefined;
  }

  #linkOf(connection: Connection): PreloaderLink | undefined {
    for (const link of this.#links) if (link.connections.has(connection)) return link;
    return undefined;
  }

  #log(link: PreloaderLink, event: LogEvent): void {
    const { generation } = link.ref;
    // What is known stands first, and last again over what the preloader may call by the same names.
    const known = { generation, pid: link.pid };
    this.#ports.log({ ...event, fields: { ...known, ...event.fields, ...known } });
  }
}
