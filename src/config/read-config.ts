import { resolve } from "node:path";
import type { Config, ListenAddress, WorkerSetConfig } from "./config.ts";
import type { Place } from "./files.ts";
import { quote } from "./printable.ts";
import {
  type Failed,
  fail,
  failed,
  readField,
  readTable,
  requireAll,
  siteOf,
  type TableSite,
} from "./reader.ts";
import { healthCheckFields, logFields, supervisorFields } from "./schema.ts";
import { rejectKeysOutsideSchema, rejectUnknownTables } from "./schema-keys.ts";
import { checkDefaultSocketPaths, checkSocketPath } from "./socket-path.ts";
import { checkDrainDelay, type StopLimits } from "./stop-limits.ts";
import { name } from "./value-types.ts";
import { readWorkerSet } from "./worker-set.ts";

/**
 * Makes a configuration of a TOML document. `failed` when anything is wrong: then every mistake that could be found is on
 * the root's error list.
 *
 * @param file the configuration file, absolute; undefined when there is none
 */
export function readConfig(root: TableSite, file: string | undefined, place: Place): Config | Failed {
  rejectUnknownTables(root);
  const supervisorTable = readTable(root, "supervisor", '{ name = "shop" }');
  const healthTable = readTable(root, "health_check", '{ listen_addr = "127.0.0.1:3000" }');
  const logTable = readTable(root, "log", '{ level = "info" }');
  const limits = supervisorTable === failed ? failed : readStopLimits(supervisorTable);
  const supervisor = limits === failed ? failed : readSupervisor(limits, place);
  const config = requireAll({
    file,
    supervisor,
    healthCheck: healthTable === failed ? failed : readHealthCheck(healthTable, place),
    log: logTable === failed ? failed : readLog(logTable),
    sets: readSets(root, supervisor === failed ? failed : supervisor.name, limits, place),
  });
  if (config !== failed) checkSocketsDiffer(config, healthTable ?? root);
  return root.errors.isEmpty ? config : failed;
}

function checkSocketsDiffer(config: Config, healthTable: TableSite): void {
  const listen = config.healthCheck?.listen;
  if (listen?.kind !== "unix" || listen.path !== config.supervisor.socket) return;
  const site = siteOf(healthTable, healthCheckFields.listenAddr.key);
  fail(site, "another socket than supervisor.socket", `${quote(listen.path)} for both`);
}

function readStopLimits(supervisor: TableSite): StopLimits {
  const limits = {
    supervisor,
    shutdownTimeoutMs: readField(supervisor, supervisorFields.shutdownTimeout),
    drainDelayMs: readField(supervisor, supervisorFields.drainDelay),
  };
  return { ...limits, drainDelayMs: checkDrainDelay(limits) };
}

function readSupervisor(limits: StopLimits, place: Place): Config["supervisor"] | Failed {
  const table = limits.supervisor;
  rejectKeysOutsideSchema(table, ["supervisor"]);
  const name = readField(table, supervisorFields.name);
  return requireAll({
    name,
    socket: readSocket(table, name, place),
    shutdownTimeoutMs: limits.shutdownTimeoutMs,
    drainDelayMs: limits.drainDelayMs,
    onFault: readField(table, supervisorFields.onFault),
    version: readField(table, supervisorFields.version),
  });
}

function readSocket(table: TableSite, name: string | Failed, place: Place): string | undefined | Failed {
  const socket = readField(table, supervisorFields.socket);
  const site = siteOf(table, supervisorFields.socket.key);
  if (socket === failed) return failed;
  if (socket === undefined) {
    return name === failed ? failed : checkDefaultSocketPaths(name, site, place.world);
  }
  if (socket.startsWith("@")) return socket;
  const path = resolve(place.folder, socket);
  return checkSocketPath(path, site, place.world) ?? path;
}

function readHealthCheck(table: TableSite, place: Place): Config["healthCheck"] | Failed {
  rejectKeysOutsideSchema(table, ["health_check"]);
  const address = readField(table, healthCheckFields.listenAddr);
  const health = requireAll({
    listen: address === failed || address === undefined ? address : placeAddress(address, table, place),
    endpoint: readField(table, healthCheckFields.endpoint),
  });
  if (health === failed) return failed;
  const { listen, endpoint } = health;
  return listen === undefined ? undefined : { listen, endpoint };
}

function placeAddress(address: ListenAddress, table: TableSite, place: Place): ListenAddress | Failed {
  if (address.kind === "tcp") return address;
  const path = resolve(place.folder, address.path);
  const site = siteOf(table, healthCheckFields.listenAddr.key);
  return checkSocketPath(path, site, place.world) ?? { kind: "unix", path };
}

function readLog(table: TableSite): Config["log"] | Failed {
  rejectKeysOutsideSchema(table, ["log"]);
  return requireAll({
    output: readField(table, logFields.output),
    level: readField(table, logFields.level),
    format: readField(table, logFields.format),
  });
}

/** `[worker]` is one set with the supervisor's name; `[workers.NAME]` are any number; never both. */
function readSets(
  root: TableSite,
  supervisorName: string | Failed,
  limits: StopLimits | Failed,
  place: Place,
): readonly WorkerSetConfig[] | Failed {
  const [single, named] = ["worker", "workers"].map((key) => root.table.entries.has(key));
  if (single && named) {
    fail(
      siteOf(root, "workers"),
      "either [worker] or [workers.NAME]",
      "both",
      "make [worker] one of [workers.NAME]",
    );
  }
  if (!single && !named) return fail(siteOf(root, "worker"), "a table [worker], or [workers.NAME]", "none");
  const sets = [
    ...(single ? [readSingleSet(root, supervisorName, limits, place)] : []),
    ...(named ? readNamedSets(root, limits, place) : []),
  ];
  const sound = sets.filter((set) => set !== failed);
  return sound.length === sets.length ? sound : failed;
}

const setExample = '{ type = "program", cmdline = ["nginx"] }';

function readSingleSet(
  root: TableSite,
  supervisorName: string | Failed,
  limits: StopLimits | Failed,
  place: Place,
): WorkerSetConfig | Failed {
  const table = readTable(root, "worker", setExample);
  return table === failed ? failed : readWorkerSet(table, supervisorName, limits, place);
}

function readNamedSets(
  root: TableSite,
  limits: StopLimits | Failed,
  place: Place,
): readonly (WorkerSetConfig | Failed)[] {
  const workers = readTable(root, "workers", `{ web = ${setExample} }`);
  if (workers === failed) return [failed];
  const names = [...workers.table.entries.keys()];
  if (names.length === 0) return [fail(siteOf(root, "workers"), "at least one table [workers.NAME]", "none")];
  return names.map((key) => {
    const table = readTable(workers, key, setExample);
    const setName = name.read(key, siteOf(workers, key));
    return table === failed ? failed : readWorkerSet(table, setName, limits, place);
  });
}
