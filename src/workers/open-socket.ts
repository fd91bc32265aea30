/** Opens the supervisor's socket where it can be, and keeps a second supervisor of the same name out. */
import { lstatSync, unlinkSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { errorCode } from "../error-code.ts";
import { kernelAddress } from "../protocol/kernel-address.ts";
import { StartError } from "../start-error.ts";
import { acquireLock, LockTakenError } from "../system/lock.ts";
import { isAbstract, isUnwritable, socketAddresses } from "./socket-address.ts";
import { SocketGuard, type SocketGuardPorts } from "./socket-guard.ts";
import { fileDescriptor, WorkerSocket, type WorkerSocketPorts } from "./worker-socket.ts";

export type OpenedSocket = {
  readonly address: string;
  readonly socket: WorkerSocket;
  /** Undefined for an abstract socket: the name itself can be bound only once, and is free when its holder is gone. */
  readonly guard: SocketGuard | undefined;
};

/** What the guard of the socket's file needs; `listenAgain` is the socket's own. */
export type GuardPorts = Omit<SocketGuardPorts, "listenAgain">;

/** Closes the socket and gives up its place, unless that is another's by now: Bun would remove whatever file is there. */
export function closeWorkerSocket({ socket, guard }: OpenedSocket): void {
  if (guard?.ownsFile() ?? true) socket.stop();
  guard?.release();
}

/** @throws StartError naming the address, the reason, and the pid of another supervisor that has it. */
export async function openWorkerSocket(
  config: Config["supervisor"],
  environment: Readonly<Record<string, string | undefined>>,
  ports: WorkerSocketPorts,
  guardPorts: GuardPorts,
): Promise<OpenedSocket> {
  const addresses = socketAddresses(config.name, config.socket, environment);
  let refusal: unknown;
  for (const address of addresses) {
    try {
      return isAbstract(address) ? openAbstract(address, ports) : openPath(address, ports, guardPorts);
    } catch (error) {
      if (!isUnwritable(errorCode(error))) throw await explain(address, error, ports);
      refusal ??= await explain(address, error, ports);
    }
  }
  throw refusal;
}

function openPath(path: string, ports: WorkerSocketPorts, guardPorts: GuardPorts): OpenedSocket {
  const lock = acquireLock(`${path}.lock`);
  try {
    removeLeftOver(path);
    if (lock.pidNotWritten !== undefined) {
      const fields = { lock: lock.path, reason: lock.pidNotWritten };
      guardPorts.log({ level: "warning", message: "lock file could not be given our pid", fields });
    }
    const socket = new WorkerSocket(path, ports);
    const listenAgain = () => socket.listenAgain();
    return { address: path, socket, guard: new SocketGuard(path, lock, { ...guardPorts, listenAgain }) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openAbstract(address: string, ports: WorkerSocketPorts): OpenedSocket {
  return { address, socket: new WorkerSocket(address, ports), guard: undefined };
}

/** We hold the lock, so the socket there is a dead supervisor's. A file that is no socket is somebody's. */
function removeLeftOver(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket())
    throw new StartError("unavailable", `${path} is there and is no socket; move it away`);
  unlinkSync(path);
}

async function explain(address: string, error: unknown, ports: WorkerSocketPorts): Promise<StartError> {
  if (error instanceof StartError) return error;
  if (error instanceof LockTakenError) return alreadyRunning(error.path, error.holder, error);
  if (errorCode(error) === "EADDRINUSE") {
    return alreadyRunning(address, await findListener(address, ports.peerPid), error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError("unavailable", `can't open the socket ${address}: ${reason}`, { cause: error });
}

function alreadyRunning(held: string, holder: number | undefined, cause: unknown): StartError {
  const who = holder === undefined ? "another process" : `process ${holder}`;
  const message = `another supervisor of this name is running: ${who} holds ${held}; stop it, or choose another supervisor.name or supervisor.socket`;
  return new StartError("unavailable", message, { cause });
}

/** An abstract name has no lock file to read a pid from; the kernel tells whoever connects. */
async function findListener(address: string, peerPid: (fd: number) => number): Promise<number | undefined> {
  try {
    const socket = await Bun.connect({ unix: kernelAddress(address), socket: { data() {} } });
    const pid = peerPid(fileDescriptor(socket));
    socket.terminate();
    return pid;
  } catch {
    return undefined; // It went away meanwhile, or doesn't accept us: the message does without its pid.
  }
}
