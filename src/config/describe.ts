import { assertNever } from "../core/assert-never.ts";
import type { RestartLimits } from "../core/fleet.ts";
import { escapeUnsafe } from "../escape.ts";
import type { Config, LogFormat, WorkerSetConfig } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { groupByPreloader } from "./preloader-key.ts";
import { listDefaultSocketPaths } from "./socket-path.ts";

type Row = readonly [label: string, text: string];

/**
 * What would run, for a person to read (`kleinhirn check`); lines without a newline at the end. Of the environment only names
 * are shown, since values are often secrets; nothing in it can steer a terminal.
 *
 * @param env the supervisor's environment, which decides on the socket's place where the file doesn't
 */
export function describeConfig(config: Config, env: Readonly<Record<string, string | undefined>>): string {
  const workers = config.sets.reduce((sum, set) => sum + set.count, 0);
  const title = `${config.supervisor.name}: ${plural(workers, "worker")} in ${plural(config.sets.length, "set")}`;
  const partners = findPartners(config.sets);
  return [
    describeRows(title, listSupervisorRows(config, env)),
    ...config.sets.map((set) => describeRows(titleSet(set), listSetRows(set, partners.get(set.name) ?? []))),
  ].join("\n\n");
}

function plural(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

const labelWidth = 13;

function describeRows(title: string, rows: readonly Row[]): string {
  return [title, ...rows.map(([label, text]) => `  ${label.padEnd(labelWidth)}${escapeUnsafe(text)}`)].join(
    "\n",
  );
}

function listSupervisorRows(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): readonly Row[] {
  const { name, socket, shutdownTimeoutMs, drainDelayMs, onFault, version } = config.supervisor;
  const drain = drainDelayMs === 0 ? "" : `after answering "not ready" for ${formatDuration(drainDelayMs)}; `;
  return [
    ["file", config.file ?? "none: given on the command line"],
    ["socket", socket ?? `${listDefaultSocketPaths(name, env).join(", else ")}, else an abstract one`],
    ["version", version ?? "a random UUID, made at start"],
    ["health", describeHealth(config.healthCheck)],
    ["log", `${config.log.level} and above, to ${config.log.output}, ${describeFormat(config.log.format)}`],
    ["stop", `${drain}${formatDuration(shutdownTimeoutMs)} at the most, then everything left is killed`],
    [
      "on fault",
      onFault === "exit" ? "drain and exit 1" : "keep serving with what is left, answer unhealthy",
    ],
  ];
}

function describeHealth(health: Config["healthCheck"]): string {
  if (health === undefined) return "not served";
  const { listen, endpoint } = health;
  const paths = `${endpoint}, /readyz and /livez`;
  if (listen.kind === "unix") return `${paths} on the socket ${listen.path}`;
  const host = listen.hostname.includes(":") ? `[${listen.hostname}]` : listen.hostname;
  return `${paths} on ${host}, ${listen.port === 0 ? "any free port" : `port ${listen.port}`}`;
}

function describeFormat(format: LogFormat | undefined): string {
  if (format === undefined) return "as logfmt, or coloured on a terminal";
  switch (format.kind) {
    case "logfmt":
      return format.printPrefix ? "as logfmt with a prefix" : "as logfmt";
    case "json":
      return "as JSON";
    case "human":
      return "coloured";
    default:
      return assertNever(format);
  }
}

function titleSet(set: WorkerSetConfig): string {
  return `${set.name}: ${plural(set.count, "worker")}, ${set.command.type}`;
}

function listSetRows(set: WorkerSetConfig, partners: readonly string[]): readonly Row[] {
  const names = Object.keys(set.env).sort();
  return [
    ...listCommandRows(set, partners),
    ["folder", set.cwd],
    ["environment", names.length === 0 ? "the supervisor's" : `the supervisor's, with ${names.join(", ")}`],
    ["ready", describeReadiness(set)],
    ["launch", describeLaunch(set)],
    ["stop", `${set.stopSignal}, after ${formatDuration(set.stopTimeoutMs)} KILL to the process group`],
    ["deaths", describeRestart(set.restart)],
    ["open files", set.openFiles === undefined ? "as many as kleinhirn may" : `${set.openFiles}`],
  ];
}

function listCommandRows(set: WorkerSetConfig, partners: readonly string[]): readonly Row[] {
  const { command } = set;
  if (command.type === "program") return [["command", command.cmdline.map(quoteArgument).join(" ")]];
  const shared = partners.length === 0 ? "of its own" : `shared with ${partners.join(", ")}`;
  return [
    ["load", `${command.load}, ${formatDuration(command.loadTimeoutMs)} at the most`],
    ["expression", command.startExpression],
    ["Gemfile", command.gemfile ?? "none: no Bundler"],
    ["preloader", shared],
  ];
}

/** Readable as a shell would take it; anything unusual stands in double quotes, escaped. */
function quoteArgument(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : JSON.stringify(argument);
}

function describeReadiness(set: WorkerSetConfig): string {
  const { ack, ackTimeoutMs, minReady, count } = set;
  const enough = `the set is ready with ${minReady} of ${count}`;
  if (ack === "none") {
    const unused = ackTimeoutMs === undefined ? "" : " (ack_timeout has no use here)";
    return `when launched${unused}; ${enough}`;
  }
  const limit =
    ackTimeoutMs === undefined ? "without a limit" : `within ${formatDuration(ackTimeoutMs)} of its launch`;
  return `when it says so, ${limit}; ${enough}`;
}

function describeLaunch(set: WorkerSetConfig): string {
  const together = set.maxStarting === undefined ? "" : `; ${set.maxStarting} starting at one time`;
  return `${formatDuration(set.launchTimeoutMs)} at the most${together}`;
}

function describeRestart(restart: RestartLimits): string {
  const { intensity, periodMs, backoffMs, backoffMaxMs } = restart;
  const delay =
    backoffMs === 0 ? "at once" : `at once, then after ${formatDuration(backoffMs)}, doubling up to`;
  const most = backoffMs === 0 ? "" : ` ${formatDuration(backoffMaxMs)}`;
  return `replaced ${delay}${most}; more than ${intensity} within ${formatDuration(periodMs)} fault the set`;
}

/** For each ruby set, the names of the others that its preloader serves. */
function findPartners(sets: readonly WorkerSetConfig[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    groupByPreloader(sets).flatMap((group) => {
      const names = group.sets.map((set) => set.name);
      return names.map((name): [string, readonly string[]] => [
        name,
        names.filter((other) => other !== name),
      ]);
    }),
  );
}
