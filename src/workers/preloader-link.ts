/** One generation of a preloader: its process, its connections, and the launches that it has been asked for. */
import type { PreloaderRef, WorkerId } from "../core/event.ts";
import type { ExitStatus } from "../core/exit-status.ts";

export type Connection = {
  /** Bytes that the peer doesn't take are kept, within bounds; a connection that is gone takes nothing. */
  readonly send: (line: string) => void;
  readonly close: () => void;
};

export class PreloaderLink {
  readonly ref: PreloaderRef;
  readonly pid: number;
  /** The connection on which it said `hello`. */
  control: Connection | undefined;
  /** How its process ended; undefined while it lives. */
  exit: ExitStatus | undefined;
  /** Once true, no connection of its can be waiting to be accepted. */
  isBacklogRead = false;
  /** Every connection that the kernel says is of this process, `hello` or not. */
  readonly connections = new Set<Connection>();
  /** Launches asked for and not answered: their sequence numbers order them among all preloaders. */
  readonly pending = new Map<WorkerId, number>();

  constructor(ref: PreloaderRef, pid: number) {
    this.ref = ref;
    this.pid = pid;
  }

  /**
   * Its process is gone and all that it ever wrote has been read. Only now is it known which of its launches
   * happened: a `launched` line may have been on its way when it died.
   */
  isFinished(): boolean {
    return this.exit !== undefined && this.isBacklogRead && this.connections.size === 0;
  }
}
