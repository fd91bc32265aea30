import { environment } from "./environment.ts";
import { defaulted, optional, required } from "./field.ts";
import { endpoint, listenAddress } from "./listen-address.ts";
import { logFormat } from "./log-format.ts";
import type { Field } from "./reader.ts";
import { socketAddress } from "./socket-path.ts";
import {
  ack,
  argv,
  boolean,
  count,
  duration,
  integer,
  name,
  path,
  stopSignal,
  text,
  version,
  words,
} from "./value-types.ts";

/*
 * Every key of the configuration file (specification section 2.2), with its type, its default and its meaning. The reader,
 * the messages and the documentation's tables are all made from, or held to, what stands here.
 */

export const supervisorFields = {
  name: required("name", name, {
    meaning: "the service's name: in every log line, in process titles, in the default socket name",
  }),
  socket: optional("socket", socketAddress, "see the text", {
    meaning: "Unix socket on which workers and preloaders reach the supervisor",
    otherNames: ["socket_path"],
  }),
  shutdownTimeout: defaulted("shutdown_timeout", duration("above zero"), "25s", {
    meaning: "the longest a graceful stop may take before everything left is killed",
  }),
  drainDelay: defaulted("drain_delay", duration("zero allowed"), "0s", {
    meaning: 'on a stop: how long to answer "not ready" before the workers are told',
    otherNames: ["pre_stop"],
  }),
  onFault: defaulted("on_fault", words("stay", "exit"), "stay", {
    meaning: "what to do when a set has faulted: keep serving with what is left, or drain and exit 1",
  }),
  version: optional("version", version, "a random UUID", {
    meaning: "handed to workers as `KLEINHIRN_VERSION`",
  }),
};

export const healthCheckFields = {
  listenAddr: optional("listen_addr", listenAddress, "no HTTP", {
    meaning: "where health is answered over HTTP",
    otherNames: ["listen", "listen_address", "address", "bind", "port"],
  }),
  endpoint: defaulted("endpoint", endpoint, "/healthz", {
    meaning: "path of the overall answer",
    otherNames: ["path"],
  }),
};

export const logFields = {
  output: defaulted("output", words("stderr", "stdout"), "stderr", { meaning: "the stream to write to" }),
  level: defaulted("level", words("critical", "error", "warning", "info", "debug", "trace"), "info", {
    meaning: "the least important events that are still written",
  }),
  format: optional("format", logFormat, "logfmt; for people on a terminal", { meaning: "how a line looks" }),
};

/** Keys of `[worker]` and of each `[workers.NAME]`. */
export const workerFields = {
  count: defaulted("count", count, 1, {
    meaning: 'how many workers; `"auto"`: the CPUs that the cgroup grants, at least 1',
    otherNames: ["workers", "replicas", "processes", "numprocs"],
  }),
  type: required("type", words("program", "ruby"), {
    meaning: "a program to execute, or Ruby code that is loaded once and forked",
    otherNames: ["kind"],
  }),
  ack: optional("ack", ack, '"none" for program, "message" for ruby', {
    meaning: "how a worker says that it is ready: by a message, or by being launched",
  }),
  ackWorkers: optional("ack_workers", boolean, "as ack", {
    meaning: 'the original\'s name for it: `true` is `ack = "message"`, `false` is `ack = "none"`',
  }),
  ackTimeout: optional("ack_timeout", duration("above zero"), "none", {
    meaning: "the longest from launch to ack",
    otherNames: ["start_timeout", "startup_timeout"],
  }),
  launchTimeout: defaulted("launch_timeout", duration("above zero"), "30s", {
    meaning: "the longest from asking for a worker to having its pid",
  }),
  maxStarting: optional("max_starting", integer(1, 1000), "no limit", {
    meaning: "how many may be launched and not yet ready at one time",
  }),
  stopSignal: defaulted("stop_signal", stopSignal, "TERM", {
    meaning: "what asks a worker to finish",
    otherNames: ["signal", "kill_signal"],
  }),
  stopTimeout: defaulted("stop_timeout", duration("above zero"), "10s", {
    meaning: "grace period of one worker, then KILL to its process group",
    otherNames: ["kill_timeout", "grace_period", "stopwaitsecs"],
  }),
  openFiles: optional("open_files", integer(16, 2 ** 30), "as kleinhirn's", {
    meaning: "soft limit of open descriptors in the worker",
    otherNames: ["nofile", "limit_nofile"],
  }),
  minReady: optional("min_ready", integer(0, 1000), "count", {
    meaning: "how many must be ready for the set to count as ready",
  }),
  cmdline: required("cmdline", argv, {
    meaning: "the program and its arguments; no shell is involved",
    otherNames: ["command", "cmd", "argv", "args", "exec", "program"],
    only: "program",
  }),
  gemfile: optional("gemfile", path, "no Bundler", {
    meaning: "the application's Gemfile",
    only: "ruby",
  }),
  load: required("load", path, {
    meaning: "the file to load before any worker is forked: `.rb` or `config.ru`",
    otherNames: ["require", "preload", "file"],
    only: "ruby",
  }),
  startExpression: required("start_expression", text("a Ruby expression"), {
    meaning: "what each worker runs",
    otherNames: ["expression", "run"],
    only: "ruby",
  }),
  loadTimeout: defaulted("load_timeout", duration("above zero"), "5m", {
    meaning: "the longest that loading may take",
    only: "ruby",
  }),
  cwd: optional("cwd", path, "the configuration file's folder", {
    meaning: "working directory of the workers",
    otherNames: ["directory", "dir", "working_directory", "chdir", "workdir"],
  }),
  env: optional("env", environment, "{}", {
    meaning: "variables added to the supervisor's own",
    otherNames: ["environment"],
  }),
};

/** Keys of the table `restart` within a worker set. */
export const restartFields = {
  intensity: optional("intensity", integer(0, 1_000_000), "max(5, 3 × count)", {
    meaning: "more deaths than this within `period` fault the set",
    otherNames: ["max_restarts", "retries"],
  }),
  period: defaulted("period", duration("above zero"), "1m", {
    meaning: "the time in which deaths are counted",
    otherNames: ["within"],
  }),
  backoff: defaulted("backoff", duration("zero allowed"), "100ms", {
    meaning: "delay before the replacement after a second death; doubles with each further one",
    otherNames: ["delay"],
  }),
  backoffMax: defaulted("backoff_max", duration("zero allowed"), "10s", {
    meaning: "what the delay grows to at the most",
    otherNames: ["max_backoff"],
  }),
};

export type TableSchema = { readonly path: readonly string[]; readonly fields: readonly Field<unknown>[] };

/** The tables in the order of the documentation. `worker` stands for each `workers.NAME` too. */
export const schema: readonly TableSchema[] = [
  { path: ["supervisor"], fields: Object.values(supervisorFields) },
  { path: ["health_check"], fields: Object.values(healthCheckFields) },
  { path: ["log"], fields: Object.values(logFields) },
  { path: ["worker"], fields: Object.values(workerFields) },
  { path: ["worker", "restart"], fields: Object.values(restartFields) },
];
