/** Requests, in the imperative: what they bring about comes back as an event, never as a return value. */
import type { ForwardedSignal, WorkerId } from "./event.ts";
import type { LogEvent } from "./log-event.ts";

export type Signal = ForwardedSignal | "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGKILL" | (string & {});

export type Effect =
  /** Answered by `workerLaunched` or `workerLaunchFailed`. */
  | { readonly type: "executeWorker"; readonly id: WorkerId; readonly set: number; readonly slot: number }
  /** Ask a preloader for a fork; answered the same way, or by `preloaderExited`. */
  | {
      readonly type: "spawnWorker";
      readonly id: WorkerId;
      readonly set: number;
      readonly slot: number;
      readonly preloader: number;
      readonly generation: number;
      readonly timeoutMs: number;
    }
  /** Answered by `preloaderLaunched` or `preloaderLaunchFailed`. */
  | { readonly type: "startPreloader"; readonly preloader: number; readonly generation: number }
  | { readonly type: "signalProcess"; readonly pid: number; readonly signal: Signal }
  /** Answered by `groupGone` when there is no such group (any more). */
  | { readonly type: "signalGroup"; readonly pgid: number; readonly signal: Signal }
  /** Signal every child that is neither worker nor preloader, now and whenever new ones turn up; answered by `childrenGone`. */
  | { readonly type: "sweepOrphans"; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly type: "log"; readonly event: LogEvent }
  | { readonly type: "exit"; readonly code: number };
