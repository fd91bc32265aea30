/**
 * The socket's file may be removed from under us, by a cleaner of /tmp or a deployment that tidies up: then no worker can
 * ack any more, and without its lock file a second supervisor would take the place. Looked after when it matters: before a
 * launch, and for as long as workers are starting.
 */
import type { LogEvent } from "../core/log-event.ts";
import { rememberSocketFile, type SocketFile } from "../socket-file.ts";
import { acquireLock, type Lock, LockTakenError } from "../system/lock.ts";
import type { SetTimer } from "../timer.ts";

const lookEveryMs = 5000;

export type SocketGuardPorts = {
  /** Makes the socket's file anew. @throws what bind(2) says. */
  readonly listenAgain: () => void;
  /** Whether there are workers that still have to ack. */
  readonly isAckAwaited: () => boolean;
  readonly log: (event: LogEvent) => void;
  readonly setTimer: SetTimer;
};

export class SocketGuard {
  readonly #path: string;
  readonly #ports: SocketGuardPorts;
  #lock: Lock;
  #file: SocketFile;
  /** What was last said of what can't be mended, so that it is said once. */
  #trouble = "";
  #cancelLook: (() => void) | undefined;

  /** @param path where the socket has just been bound, under the lock. */
  constructor(path: string, lock: Lock, ports: SocketGuardPorts) {
    this.#path = path;
    this.#lock = lock;
    this.#ports = ports;
    this.#file = rememberSocketFile(path);
  }

  /** To be called before a launch: looks now, and again and again until no ack is awaited any more. */
  watch(): void {
    this.look();
    this.#cancelLook ??= this.#ports.setTimer(() => {
      this.#cancelLook = undefined;
      if (this.#ports.isAckAwaited()) this.watch();
    }, lookEveryMs);
  }

  look(): void {
    try {
      this.#mend();
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Whether the file at the path is ours, and is to go with us. */
  ownsFile(): boolean {
    return this.#file.look() !== "another's";
  }

  release(): void {
    this.#cancelLook?.();
    this.#lock.release();
  }

  /** The lock first: whoever doesn't hold it has no right to the socket's place. */
  #mend(): void {
    if (!this.#lock.isInPlace()) {
      const lock = acquireLock(this.#lock.path);
      this.#lock.release();
      this.#lock = lock;
      const fields = { lock: lock.path };
      this.#ports.log({ level: "warning", message: "lock file was gone: made anew", fields });
    }
    const place = this.#file.look();
    if (place === "another's") throw new Error("there is another file in its place, which is left alone");
    if (place === "gone") {
      this.#ports.listenAgain();
      this.#file = rememberSocketFile(this.#path);
      const fields = { socket: this.#path };
      this.#ports.log({ level: "warning", message: "socket was gone: made anew", fields });
    }
    this.#trouble = "";
  }

  #complain(error: unknown): void {
    const reason =
      error instanceof LockTakenError
        ? `another supervisor (process ${error.holder ?? "unknown"}) has taken its place; give each a supervisor.name or supervisor.socket of its own, and restart both`
        : `${error instanceof Error ? error.message : String(error)}; restore the folder, or restart the supervisor`;
    if (reason === this.#trouble) return;
    this.#trouble = reason;
    this.#ports.log({
      level: "error",
      message: "socket is gone: workers that are launched now can't ack",
      fields: { socket: this.#path, reason },
    });
  }
}
