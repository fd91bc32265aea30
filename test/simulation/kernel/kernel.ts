/**
 * A kernel, as far as a supervisor can tell: a table of few pids that are soon used again, parents and a subreaper,
 * zombies, process groups and sessions, signals, and a SIGCHLD that stands for any number of exits.
 */
import type { ExitStatus } from "../../../src/core/exit-status.ts";
import { Pool } from "./pool.ts";
import { type Group, type Handle, Process, type Program } from "./process.ts";

export const supervisorPid = 1;
const signalKill = 9;
const signalContinue = 18;
const signalStop = 19;

export type KernelPorts = {
  /** SIGCHLD is pending for the supervisor. */
  readonly onSupervisorsChild: () => void;
  /** Bun's pidfd of this child has become readable. */
  readonly onBunsChild: (child: Process) => void;
  readonly onExit: (process: Process) => void;
};

export class Kernel {
  readonly supervisor: Process;
  /** All but the supervisor, zombies included. */
  readonly processes = new Pool<Process>();
  /** Alive, and with something to do that nothing keeps it from. */
  readonly runnable = new Pool<Process>();
  readonly groups = new Map<number, Group>();
  /** So many forks to come fail with EAGAIN: the cgroup has no process left to give. */
  refusals = 0;
  /** How often it was asked for exits in this turn. */
  looks = 0;
  readonly #ports: KernelPorts;
  readonly #table: (Process | undefined)[];
  /** How many processes have this number as pid, group or session: none of these may be given out (pid_namespaces(7)). */
  readonly #uses: Int32Array;
  #lastPid = supervisorPid;

  constructor(pids: number, ports: KernelPorts) {
    this.#ports = ports;
    this.#table = new Array(pids).fill(undefined);
    this.#uses = new Int32Array(pids);
    this.supervisor = new Process(supervisorPid, "supervisor", this.#makeGroup(supervisorPid));
    this.#enter(this.supervisor);
  }

  at(pid: number): Process | undefined {
    return this.#table[pid];
  }

  /** fork(2). undefined: EAGAIN. */
  fork(parent: Process, name: string, program: Program): Process | undefined {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return undefined;
    }
    const pid = this.nextPid();
    if (pid === undefined) return undefined;
    this.#lastPid = pid;
    const child = new Process(pid, name, parent.group);
    child.session = parent.session;
    child.parent = parent;
    child.worker = parent.worker;
    child.program = program;
    parent.children.add(child);
    for (const handle of parent.handles) this.open(child, handle);
    this.#enter(child);
    this.processes.add(child);
    return child;
  }

  /** The kernel goes round: a number comes again only when all others have had their turn. */
  nextPid(): number | undefined {
    let pid = this.#lastPid;
    for (let tries = 0; tries < this.#uses.length; tries += 1) {
      pid = pid + 1 >= this.#uses.length ? supervisorPid + 1 : pid + 1;
      if (this.#uses[pid] === 0) return pid;
    }
    return undefined;
  }

  #makeGroup(pgid: number): Group {
    const group = { pgid, members: new Set<Process>() };
    this.groups.set(pgid, group);
    return group;
  }

  #enter(process: Process): void {
    this.#table[process.pid] = process;
    process.group.members.add(process);
    this.#use(process, 1);
  }

  #use({ pid, group, session }: Process, change: number): void {
    for (const number of [pid, group.pgid, session]) this.#uses[number] = (this.#uses[number] ?? 0) + change;
  }

  setSession(process: Process): void {
    this.#use(process, -1);
    this.#leaveGroup(process);
    process.group = this.#makeGroup(process.pid);
    process.session = process.pid;
    process.group.members.add(process);
    this.#use(process, 1);
  }

  #leaveGroup(process: Process): void {
    const { group } = process;
    group.members.delete(process);
    if (group.members.size === 0) this.groups.delete(group.pgid);
  }

  open(process: Process, handle: Handle): void {
    handle.holders.add(process);
    process.handles.add(handle);
  }

  close(process: Process, handle: Handle): void {
    process.handles.delete(handle);
    if (handle.holders.delete(process)) handle.onRelease();
  }

  /** The process has something to do, or has nothing any more. */
  setReady(process: Process, isReady: boolean): void {
    process.isReady = isReady;
    this.#reschedule(process);
  }

  #reschedule(process: Process): void {
    const canRun = process.isReady && process.state === "alive" && !process.isFrozen && !process.isStuck;
    if (canRun) this.runnable.add(process);
    else this.runnable.delete(process);
  }

  setStuck(process: Process, isStuck: boolean): void {
    process.isStuck = isStuck;
    if (!isStuck) this.#deliverPending(process);
    this.#reschedule(process);
  }

  /** kill(2) for one process that is there. */
  signal(process: Process, signal: number): void {
    if (process.state !== "alive") return;
    if (signal === signalStop) {
      process.isFrozen = true;
      return this.#reschedule(process);
    }
    if (signal === signalContinue && process.isFrozen) {
      process.isFrozen = false;
      this.#deliverPending(process);
      return this.#reschedule(process);
    }
    process.pending.add(signal);
    this.#deliverPending(process);
  }

  #deliverPending(process: Process): void {
    if (process.isStuck) return;
    if (process.pending.has(signalKill)) return this.exit(process, { kind: "signaled", signal: signalKill });
    if (process.isFrozen) return;
    for (const signal of process.pending) {
      process.pending.delete(signal);
      const reaction = process.program?.react(signal);
      if (reaction === "default") return this.exit(process, { kind: "signaled", signal });
    }
  }

  signalGroup(group: Group, signal: number): void {
    for (const member of [...group.members]) this.signal(member, signal);
  }

  exit(process: Process, exit: ExitStatus): void {
    if (process.state !== "alive") return;
    process.state = "zombie";
    process.exit = exit;
    this.runnable.delete(process);
    for (const handle of [...process.handles]) this.close(process, handle);
    this.#orphan(process);
    this.#ports.onExit(process);
    this.#tellParent(process);
  }

  /** Its children go to the supervisor, the nearest subreaper (prctl(2)); those that asked for it get KILL. */
  #orphan(process: Process): void {
    for (const child of [...process.children]) {
      process.children.delete(child);
      child.parent = this.supervisor;
      this.supervisor.children.add(child);
      if (child.state === "zombie") this.#ports.onSupervisorsChild();
      else if (child.diesWithParent) this.signal(child, signalKill);
    }
  }

  #tellParent(process: Process): void {
    const { parent } = process;
    if (parent === this.supervisor) {
      this.#ports.onSupervisorsChild();
      if (process.isBuns) this.#ports.onBunsChild(process);
    } else if (parent?.program?.reapsAtOnce) this.bury(process);
    else parent?.program?.onChildExit?.(process);
  }

  /** wait(2) by its parent: from now on the pid is free, unless a group or session still has the number. */
  bury(process: Process): void {
    process.state = "gone";
    process.parent?.children.delete(process);
    this.#leaveGroup(process);
    this.#use(process, -1);
    this.#table[process.pid] = undefined;
    this.processes.delete(process);
  }
}
