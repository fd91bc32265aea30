/** The lines of the supervisor's socket (specification section 5): what peers say, checked, and what they are told. */
import { assertNever } from "../core/assert-never.ts";
import type { Fields, Level } from "../core/log-event.ts";
import { MessageReader, RefusedMessage } from "./message-reader.ts";

/** What a worker may say. An error is what its expression raised; it goes to the log whole. */
export type WorkerMessage =
  | { readonly action: "ack"; readonly id: string }
  | { readonly action: "error"; readonly id: string; readonly message: string; readonly error: string };

/** What the preloader may say. */
export type PreloaderMessage =
  | { readonly action: "hello"; readonly pid: number; readonly protocol: number }
  | { readonly action: "loading"; readonly file: string }
  | { readonly action: "ready" }
  | { readonly action: "standby"; readonly pid: number }
  | { readonly action: "launched"; readonly id: string; readonly pid: number }
  | {
      readonly action: "failed";
      readonly id: string;
      readonly message: string;
      /** The name of the operating system's error (`EAGAIN`), where it was one. */
      readonly errno?: string;
    }
  | { readonly action: "error"; readonly message: string; readonly error: string }
  | { readonly action: "log"; readonly level: Level; readonly message: string; readonly fields: Fields };

export type ParseResult =
  | { readonly ok: true; readonly from: "worker"; readonly message: WorkerMessage }
  | { readonly ok: true; readonly from: "preloader"; readonly message: PreloaderMessage }
  | { readonly ok: false; readonly reason: string };

export type Spawn = {
  readonly id: string;
  readonly set: string;
  readonly slot: number;
  readonly expression: string;
  /** How long the fork may take before the preloader kills it and says `failed`. */
  readonly timeoutMs: number;
  /** Soft limit of open descriptors in the worker; undefined: the preloader's own. */
  readonly openFiles: number | undefined;
  /** The process that the worker has to be a child of when it begins: ours. */
  readonly supervisorPid: number;
};

/** What the supervisor answers to a worker's line. */
export type Reply = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const workerActions = ["ack", "error"] as const;
const preloaderActions = [
  "hello",
  "loading",
  "ready",
  "standby",
  "launched",
  "failed",
  "error",
  "log",
] as const;
const levels = ["critical", "error", "warning", "info", "debug", "trace"] as const;

/** Checks a line from a peer that the kernel has told us to be a worker (or anybody), or the preloader. Never throws. */
export function parseMessage(line: string, sender: "worker" | "preloader"): ParseResult {
  try {
    const reader = new MessageReader(line);
    return sender === "worker"
      ? { ok: true, from: "worker", message: readWorkerMessage(reader) }
      : { ok: true, from: "preloader", message: readPreloaderMessage(reader) };
  } catch (error) {
    if (error instanceof RefusedMessage) return { ok: false, reason: error.message };
    throw error;
  }
}

function readWorkerMessage(reader: MessageReader): WorkerMessage {
  const action = reader.oneOf("action", workerActions);
  switch (action) {
    case "ack":
      return { action, id: reader.id() };
    case "error":
      return {
        action,
        id: reader.id(),
        message: reader.text("message"),
        error: reader.optionalText("error"),
      };
    default:
      return assertNever(action);
  }
}

function readPreloaderMessage(reader: MessageReader): PreloaderMessage {
  const action = reader.oneOf("action", preloaderActions);
  switch (action) {
    case "hello":
      return { action, pid: reader.pid(), protocol: reader.version("protocol") };
    case "loading":
      return { action, file: reader.text("file") };
    case "ready":
      return { action };
    case "standby":
      return { action, pid: reader.pid() };
    case "launched":
      return { action, id: reader.id(), pid: reader.pid() };
    case "failed":
      return readFailure(reader);
    case "error":
      return { action, message: reader.text("message"), error: reader.optionalText("error") };
    case "log":
      return {
        action,
        level: reader.oneOf("level", levels),
        message: reader.text("msg"),
        fields: reader.otherFields(["action", "level", "msg"]),
      };
    default:
      return assertNever(action);
  }
}

function readFailure(reader: MessageReader): PreloaderMessage & { readonly action: "failed" } {
  const failure = { action: "failed", id: reader.id(), message: reader.text("message") } as const;
  const errno = reader.optionalText("errno");
  return errno === "" ? failure : { ...failure, errno };
}

/** Asks the preloader for a worker. `open_files` is left out where it is not set. */
export function encodeSpawn({ timeoutMs, openFiles, supervisorPid, ...rest }: Spawn): string {
  const { id, set, slot, expression } = rest;
  const limits = { timeout_ms: timeoutMs, open_files: openFiles, supervisor_pid: supervisorPid };
  return encodeLine({ op: "spawn", id, set, slot, expression, ...limits });
}

export function encodeAck(id: string): string {
  return encodeLine({ action: "ack", id });
}

/** @param reason why the message was refused; undefined: it was not. */
export function encodeReply(reason: string | undefined): string {
  return encodeLine(reason === undefined ? { ok: true } : { error: reason });
}

/** Reads what `encodeReply` makes. Whatever else stands there is a refusal that quotes it. */
export function parseReply(line: string): Reply {
  try {
    const reader = new MessageReader(line);
    const reason = reader.optionalText("error");
    if (reason !== "") return { ok: false, reason };
    return reader.isTrue("ok") ? { ok: true } : { ok: false, reason: `the answer makes no sense: ${line}` };
  } catch (error) {
    if (error instanceof RefusedMessage)
      return { ok: false, reason: `the answer makes no sense: ${error.message}` };
    throw error;
  }
}

function encodeLine(message: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(message)}\n`;
}
