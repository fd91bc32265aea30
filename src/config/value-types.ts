import type { StopSignal } from "./config.ts";
import { parseDuration } from "./duration.ts";
import { describeValue, quote } from "./printable.ts";
import { type Failed, fail, failed, failType, type Site, type ValueType } from "./reader.ts";
import { findNearest } from "./suggest.ts";
import { isTomlArray, type TomlValue } from "./toml.ts";

/** One of a few words. */
export function words<Word extends string>(...allowed: readonly Word[]): ValueType<Word> {
  const list = allowed.map((word) => `"${word}"`).join(", ");
  const expected = allowed.length > 2 ? `one of ${list}` : list.replace(", ", " or ");
  return {
    name: list,
    read: (value, site) => {
      const word = allowed.find((candidate) => candidate === value);
      if (word !== undefined) return word;
      const nearest = typeof value === "string" ? findNearest(value, allowed) : undefined;
      return failType(site, expected, value, nearest && `did you mean "${nearest}"?`);
    },
  };
}

const ackWords = words("message", "none");

export const ack: ValueType<"message" | "none"> = {
  name: ackWords.name,
  read: (value, site) => {
    if (value !== "notify") return ackWords.read(value, site);
    return fail(site, '"message" or "none"', '"notify"', "this version of kleinhirn doesn't have that yet");
  },
};

export const boolean: ValueType<boolean> = {
  name: "boolean",
  read: (value, site) => (typeof value === "boolean" ? value : failType(site, "true or false", value)),
};

export function integer(least: number, most: number): ValueType<number> {
  return {
    name: "integer",
    read: (value, site) =>
      isIntegerBetween(value, least, most)
        ? value
        : failType(site, `an integer from ${least} to ${most}`, value, adviseNumber(value)),
  };
}

function isIntegerBetween(value: TomlValue, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function adviseNumber(value: TomlValue): string | undefined {
  return typeof value === "string" && /^\d+$/.test(value) ? "write it without quotes" : undefined;
}

const mostWorkers = 1000;

/** `"auto"` stays a word here: how many processors there are isn't for the file's reader to know. */
export const count: ValueType<number | "auto"> = {
  name: 'integer or "auto"',
  read: (value, site) => {
    if (value === "auto" || isIntegerBetween(value, 1, mostWorkers)) return value;
    return failType(site, `an integer from 1 to ${mostWorkers}, or "auto"`, value, adviseNumber(value));
  },
};

/** Milliseconds. */
export function duration(zero: "zero allowed" | "above zero"): ValueType<number> {
  const expected = 'a duration such as "10s" or "2m 30s"';
  return {
    name: "duration",
    read: (value, site) => {
      if (typeof value !== "string") return failType(site, expected, value, adviseUnit(value));
      const result = parseDuration(value);
      if (!result.ok) return fail(site, expected, quote(value), result.remedy);
      if (result.ms > 0 || zero === "zero allowed") return result.ms;
      return fail(site, 'a duration above zero, such as "10s"', quote(value));
    },
  };
}

function adviseUnit(value: TomlValue): string | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? `write "${value}s"` : undefined;
}

/** Text that can be passed on to the kernel: not empty, and without NUL, at which C strings end. */
export function text(
  what: string,
  check: (value: string) => string | undefined = () => undefined,
): ValueType<string> {
  return {
    name: "string",
    read: (value, site) => {
      if (typeof value !== "string") return failType(site, what, value);
      if (value.trim() === "") return fail(site, what, value === "" ? "an empty string" : "only white space");
      if (value.includes("\0")) return fail(site, `${what} without NUL characters`, quote(value));
      const expected = check(value);
      return expected === undefined ? value : fail(site, expected, quote(value));
    },
  };
}

/** Not yet resolved against a folder. */
export const path: ValueType<string> = { ...text("a path"), name: "path" };

export const version = text("a version", (value) =>
  /\p{Cc}/u.test(value) ? "a version without control characters" : undefined,
);

const longestName = 64;
const nameRule = `1 to ${longestName} letters (a-z, A-Z), digits, ".", "_" or "-", the first one a letter, digit or "_"`;

/** Names go into socket names, process titles, the environment and the log, so nothing in them needs quoting there. */
export function isName(value: string): boolean {
  return value.length <= longestName && /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(value);
}

/** Turns any text into a name: what may not stand in one becomes `-`; undefined when nothing is left. */
export function makeName(text: string): string | undefined {
  const name = text.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+|-+$/g, "");
  return name === "" ? undefined : name.slice(0, longestName);
}

export const name: ValueType<string> = {
  name: "name",
  read: (value, site) => {
    if (typeof value === "string" && isName(value)) return value;
    const made = typeof value === "string" ? makeName(value) : undefined;
    return failType(site, `a name: ${nameRule}`, value, made && `"${made}" would do`);
  },
};

/** The arguments of a program. */
export const argv: ValueType<readonly [string, ...string[]]> = {
  name: "array of strings",
  read: (value, site) => {
    const expected = 'an array of strings, such as ["bundle", "exec", "puma"]';
    if (!isTomlArray(value)) return failType(site, expected, value, adviseArgv(value));
    const [program, ...rest] = value.map((argument, index) => readArgument(argument, index, site));
    if (program === undefined) return fail(site, expected, "an empty array");
    if (program === failed || !rest.every((argument) => argument !== failed)) return failed;
    return [program, ...rest.filter((argument) => argument !== failed)];
  },
};

function adviseArgv(value: TomlValue): string | undefined {
  return typeof value === "string"
    ? "no shell splits it: write each argument as a string of its own"
    : undefined;
}

function readArgument(argument: TomlValue, index: number, list: Site): string | Failed {
  const site = { ...list, path: [...list.path.slice(0, -1), `${list.path.at(-1)}[${index}]`] };
  if (typeof argument !== "string") return failType(site, "a string", argument, adviseQuotes(argument));
  if (argument.includes("\0")) return fail(site, "a string without NUL characters", quote(argument));
  if (index === 0 && argument === "") return fail(site, "the name or path of a program", "an empty string");
  return argument;
}

function adviseQuotes(value: TomlValue): string | undefined {
  return typeof value === "number" || typeof value === "boolean" ? `quote it: "${value}"` : undefined;
}

const stopSignals: readonly StopSignal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGALRM",
  "SIGCONT",
  "SIGABRT",
];

/** `TERM` and `SIGTERM` are the same. */
export const stopSignal: ValueType<StopSignal> = {
  name: "signal",
  read: (value, site) => {
    const names = stopSignals.map((signal) => signal.slice("SIG".length));
    const expected = `a signal that a worker can handle: ${names.join(", ")}`;
    if (typeof value !== "string") return failType(site, expected, value);
    const bare = value.replace(/^SIG/, "");
    const signal = stopSignals.find((candidate) => candidate === `SIG${bare}`);
    return signal ?? fail(site, expected, describeValue(value), adviseSignal(bare, names));
  },
};

function adviseSignal(bare: string, names: readonly string[]): string | undefined {
  if (bare === "KILL") return "no program can catch KILL; it comes by itself when stop_timeout is over";
  if (bare === "STOP") return "no program can catch STOP, and a stopped one never ends";
  const nearest = findNearest(bare.replace(/^sig/i, ""), names);
  return nearest && `did you mean "${nearest}"?`;
}
