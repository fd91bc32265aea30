/** The validated configuration: what `load` makes of a file, and what the rest of the program works with. */
import type { RestartLimits } from "../core/fleet.ts";
import type { Level } from "../core/log-event.ts";

/** How log events look on the wire; `human` is only ever chosen by default, on a terminal (specification section 9). */
export type LogFormat =
  | { readonly kind: "logfmt"; readonly printPrefix: boolean }
  | { readonly kind: "json" }
  | { readonly kind: "human" };

export type ListenAddress =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Signals that may ask a worker to finish. KILL and STOP can't be caught, so they can't ask. */
export type StopSignal =
  | "SIGTERM"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGHUP"
  | "SIGUSR1"
  | "SIGUSR2"
  | "SIGWINCH"
  | "SIGALRM"
  | "SIGCONT"
  | "SIGABRT";

/** A program to execute; no shell is involved. */
export type ProgramCommand = {
  readonly type: "program";
  readonly cmdline: readonly [string, ...string[]];
};

/** Ruby code that a preloader loads once and each worker's expression runs on. All paths are absolute. */
export type RubyCommand = {
  readonly type: "ruby";
  readonly gemfile: string | undefined;
  readonly load: string;
  readonly startExpression: string;
  readonly loadTimeoutMs: number;
};

export type WorkerSetConfig = {
  readonly name: string;
  readonly count: number;
  readonly command: ProgramCommand | RubyCommand;
  readonly ack: "message" | "none";
  readonly ackTimeoutMs: number | undefined;
  readonly launchTimeoutMs: number;
  readonly maxStarting: number | undefined;
  readonly stopSignal: StopSignal;
  readonly stopTimeoutMs: number;
  readonly openFiles: number | undefined;
  readonly minReady: number;
  readonly restart: RestartLimits;
  /** Absolute. */
  readonly cwd: string;
  /** Variables added to the supervisor's own environment. */
  readonly env: Readonly<Record<string, string>>;
};

export type Config = {
  /** The file that this was read from, absolute; undefined for `kleinhirn run -- CMD`. */
  readonly file: string | undefined;
  readonly supervisor: {
    readonly name: string;
    /** A path (absolute), or `@name` for the abstract namespace; undefined: the defaults of specification section 5. */
    readonly socket: string | undefined;
    readonly shutdownTimeoutMs: number;
    readonly drainDelayMs: number;
    readonly onFault: "stay" | "exit";
    /** undefined: a random UUID is made at start. */
    readonly version: string | undefined;
  };
  readonly healthCheck: { readonly listen: ListenAddress; readonly endpoint: string } | undefined;
  readonly log: {
    readonly output: "stderr" | "stdout";
    readonly level: Level;
    /** undefined: logfmt, or the human format on a terminal. */
    readonly format: LogFormat | undefined;
  };
  readonly sets: readonly WorkerSetConfig[];
};
