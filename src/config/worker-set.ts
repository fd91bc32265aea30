import type { ProgramCommand, RubyCommand, WorkerSetConfig } from "./config.ts";
import { type Place, requireFile, requireFolder } from "./files.ts";
import {
  type Failed,
  type Field,
  fail,
  failed,
  hasKey,
  readField,
  requireAll,
  siteOf,
  type TableSite,
} from "./reader.ts";
import { refuseMissingProgram } from "./required-program.ts";
import { readRestartLimits } from "./restart-limits.ts";
import { workerFields as fields } from "./schema.ts";
import { rejectKeysOutsideSchema } from "./schema-keys.ts";
import { checkStopTimeout, type StopLimits } from "./stop-limits.ts";

/** Keys that later versions have; telling so is kinder than calling them unknown. */
const laterKeys = ["prewarm"];

/** Reads `[worker]` or one `[workers.NAME]`. */
export function readWorkerSet(
  table: TableSite,
  name: string | Failed,
  limits: StopLimits | Failed,
  place: Place,
): WorkerSetConfig | Failed {
  const type = readField(table, fields.type);
  rejectMisplacedKeys(table, type);
  const count = readCount(table, place);
  const environment = readField(table, fields.env);
  const env = environment === undefined ? emptyEnvironment() : environment;
  const cwd = readFolder(table, place);
  return requireAll({
    name,
    count,
    command: readCommand(table, type, cwd, place),
    ack: readAck(table, type),
    ackTimeoutMs: readField(table, fields.ackTimeout),
    launchTimeoutMs: readField(table, fields.launchTimeout),
    maxStarting: readField(table, fields.maxStarting),
    stopSignal: readField(table, fields.stopSignal),
    stopTimeoutMs: checkStopTimeout(table, readField(table, fields.stopTimeout), limits),
    openFiles: readField(table, fields.openFiles),
    minReady: readMinReady(table, count),
    restart: readRestartLimits(table, count),
    cwd,
    env,
  });
}

/** Without a prototype, as the ones that are read from a file. */
function emptyEnvironment(): Readonly<Record<string, string>> {
  return Object.create(null);
}

function rejectMisplacedKeys(table: TableSite, type: "program" | "ruby" | Failed): void {
  rejectKeysOutsideSchema(table, ["worker"], laterKeys);
  for (const key of laterKeys.filter((key) => hasKey(table, { key }))) {
    fail(
      siteOf(table, key),
      "only keys that this version of kleinhirn has",
      `"${key}", which comes later`,
      "remove it",
    );
  }
  const foreign: readonly Field<unknown>[] = Object.values(fields).filter(
    (field) => type !== failed && field.only !== undefined && field.only !== type && hasKey(table, field),
  );
  for (const { key, only } of foreign) {
    const expected = `only keys of a set of type "${String(type)}"`;
    fail(siteOf(table, key), expected, `a key of type "${only}"`, `remove it, or set type = "${only}"`);
  }
}

function readCount(table: TableSite, place: Place): number | Failed {
  const count = readField(table, fields.count);
  return count === "auto" ? Math.max(1, Math.floor(place.world.availableCpus())) : count;
}

function readFolder(table: TableSite, place: Place): string | Failed {
  const cwd = readField(table, fields.cwd);
  return cwd === failed ? failed : requireFolder(cwd ?? ".", siteOf(table, fields.cwd.key), place);
}

function readAck(table: TableSite, type: "program" | "ruby" | Failed): "message" | "none" | Failed {
  const ack = readField(table, fields.ack);
  const ackWorkers = readField(table, fields.ackWorkers);
  if (ack === failed || ackWorkers === failed) return failed;
  const translated = ackWorkers ? "message" : "none";
  if (ack !== undefined && ackWorkers !== undefined && ack !== translated) {
    const site = siteOf(table, fields.ackWorkers.key);
    return fail(site, `what ack = "${ack}" says, or nothing`, `${ackWorkers}`, "ack alone is enough");
  }
  if (ack === undefined && ackWorkers !== undefined) return translated;
  return ack ?? (type === "ruby" ? "message" : "none");
}

function readMinReady(table: TableSite, count: number | Failed): number | Failed {
  const minReady = readField(table, fields.minReady);
  if (count === failed || minReady === failed) return failed;
  if (minReady === undefined || minReady <= count) return minReady ?? count;
  return fail(siteOf(table, fields.minReady.key), `at most count, which is ${count}`, `${minReady}`);
}

function readCommand(
  table: TableSite,
  type: "program" | "ruby" | Failed,
  cwd: string | Failed,
  place: Place,
): ProgramCommand | RubyCommand | Failed {
  if (type === failed) return checkBothCommands(table);
  const command = type === "program" ? readProgram(table) : readRuby(table, place);
  const absence = refuseMissingProgram(table, type, cwd, place);
  return absence === undefined ? command : failed;
}

/** Which kind of command was meant can't be told, but what is written can still be wrong in itself. */
function checkBothCommands(table: TableSite): Failed {
  const given: readonly Field<unknown>[] = Object.values(fields).filter((field) => hasKey(table, field));
  for (const field of given.filter(({ only }) => only !== undefined)) readField(table, field);
  return failed;
}

function readProgram(table: TableSite): ProgramCommand | Failed {
  return requireAll({ type: "program" as const, cmdline: readField(table, fields.cmdline) });
}

function readRuby(table: TableSite, place: Place): RubyCommand | Failed {
  const gemfile = readField(table, fields.gemfile);
  const load = readField(table, fields.load);
  return requireAll({
    type: "ruby" as const,
    gemfile: typeof gemfile === "string" ? requireFile(gemfile, siteOf(table, "gemfile"), place) : gemfile,
    load: typeof load === "string" ? requireFile(load, siteOf(table, "load"), place) : load,
    startExpression: readField(table, fields.startExpression),
    loadTimeoutMs: readField(table, fields.loadTimeout),
  });
}
