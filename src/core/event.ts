/** Facts, in the past tense: all that the core ever learns about the world. */
import type { ExitStatus } from "./exit-status.ts";

export type WorkerId = string;

/**
 * The name of what the machine lacks for the moment (`EAGAIN`: processes, `ENOMEM`, `EMFILE`…): nothing of ours has failed,
 * and the same launch may succeed a little later.
 */
export type Shortage = string;

/** Signals that are passed on to every worker and mean nothing to the supervisor itself. */
export type ForwardedSignal = "SIGHUP" | "SIGUSR1" | "SIGUSR2" | "SIGWINCH";

/** A preloader is known by its place in the fleet and its generation: what an earlier generation says is stale. */
export type PreloaderRef = { readonly preloader: number; readonly generation: number };

/** How a worker or preloader ended. */
export type Ended = {
  readonly exit: ExitStatus;
  /**
   * So many of the container's processes the kernel has just killed for lack of memory. Absent when there were none,
   * where it doesn't tell, and where it can't be the cause, for only KILL ends a process so.
   */
  readonly oomKills?: number;
};

/** `hint`: what such an exit may mean, for the log; only whoever started the program knows. */
export type WorkerEnded = Ended & { readonly hint?: string | undefined };

export type Event =
  /** The health server listens and the signal handlers are set: launching may begin. */
  | { readonly type: "started" }
  | { readonly type: "workerLaunched"; readonly id: WorkerId; readonly pid: number }
  | {
      readonly type: "workerLaunchFailed";
      readonly id: WorkerId;
      readonly message: string;
      readonly shortage?: Shortage;
    }
  /** By the worker itself or a descendant: whoever posts this has checked it (SO_PEERCRED). */
  | { readonly type: "workerAcked"; readonly id: WorkerId }
  | ({ readonly type: "workerExited"; readonly id: WorkerId } & WorkerEnded)
  | ({ readonly type: "preloaderLaunched"; readonly pid: number } & PreloaderRef)
  | ({
      readonly type: "preloaderLaunchFailed";
      readonly message: string;
      readonly shortage?: Shortage;
    } & PreloaderRef)
  /** It has said `hello`: its program runs, and hears signals. */
  | ({ readonly type: "preloaderConnected" } & PreloaderRef)
  | ({ readonly type: "preloaderReady" } & PreloaderRef)
  /** What it said of a load that failed; its exit follows. */
  | ({
      readonly type: "preloaderFailed";
      readonly message: string;
      readonly backtrace: string;
    } & PreloaderRef)
  /** Its connection ended, or it broke the protocol, and its process is still there. */
  | ({ readonly type: "preloaderDisconnected"; readonly reason: string } & PreloaderRef)
  /** Its process is gone, and its pid may be anybody's; what it wrote is still being read. `preloaderExited` follows. */
  | ({ readonly type: "preloaderGone" } & PreloaderRef)
  /** Its process is gone *and* its connection has been read to the end: every `launched` line has been seen. */
  | ({ readonly type: "preloaderExited" } & PreloaderRef & Ended)
  | { readonly type: "stopRequested"; readonly signal: "SIGTERM" | "SIGINT" }
  | { readonly type: "killRequested"; readonly signal: "SIGQUIT" }
  | { readonly type: "signalReceived"; readonly signal: ForwardedSignal }
  /** No process is left in the group of a worker or preloader that has exited. */
  | { readonly type: "groupGone"; readonly pgid: number }
  /** After an orphan sweep: the supervisor has no child of any kind. */
  | { readonly type: "childrenGone" }
  /** The time that `nextDeadline` named has come. */
  | { readonly type: "deadlineReached" };
