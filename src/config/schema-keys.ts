import type { TableSite } from "./reader.ts";
import { schema, type TableSchema } from "./schema.ts";
import { type KnownKey, type KnownKeys, knownKey, rejectUnknownKeys } from "./unknown-keys.ts";

/** What stands at the top of a file, with what else people call it. */
const rootTables: Readonly<Record<string, readonly string[]>> = {
  supervisor: [],
  health_check: ["health", "healthcheck"],
  log: ["logging"],
  worker: [],
  workers: [],
};

/** Tells what the schema doesn't know at the top of the file. */
export function rejectUnknownTables(root: TableSite): void {
  rejectUnknownKeys(root, Object.keys(rootTables), () => ({
    own: Object.entries(rootTables).map(([key, otherNames]) => knownKey([key], otherNames)),
    elsewhere: schema.flatMap((table) => listKeys(table, root)),
  }));
}

/**
 * Tells what the schema doesn't know in a table.
 *
 * @param path the table's path in the schema, where a `workers.NAME` is a `worker`
 * @param also keys that the caller has an answer of its own for
 */
export function rejectKeysOutsideSchema(
  table: TableSite,
  path: readonly string[],
  also: readonly string[] = [],
): void {
  const fields = schema.find((candidate) => isSamePath(candidate.path, path))?.fields ?? [];
  const tables = schema.filter((candidate) => isSamePath(candidate.path.slice(0, -1), path));
  const own = [...fields.map(({ key }) => key), ...tables.map((inner) => inner.path.at(-1) ?? ""), ...also];
  rejectUnknownKeys(table, own, () => listKnownKeys(table, path, tables));
}

function listKnownKeys(table: TableSite, path: readonly string[], tables: readonly TableSchema[]): KnownKeys {
  const isOwn = (candidate: TableSchema): boolean => isSamePath(candidate.path, path);
  const inner = tables.map((candidate) => knownKey(locate(candidate.path, table)));
  return {
    own: [...schema.filter(isOwn).flatMap((candidate) => listKeys(candidate, table)), ...inner],
    elsewhere: schema
      .filter((candidate) => !isOwn(candidate))
      .flatMap((candidate) => listKeys(candidate, table)),
  };
}

function isSamePath(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index]);
}

function listKeys(table: TableSchema, near: TableSite): readonly KnownKey[] {
  const path = locate(table.path, near);
  return table.fields.map((field) => knownKey([...path, field.key], field.otherNames));
}

/** Within `[workers.web]`, what the schema calls `worker.restart` is `workers.web.restart`. */
function locate(path: readonly string[], near: TableSite): readonly string[] {
  if (near.path[0] !== "workers" || path[0] !== "worker") return path;
  return [...near.path.slice(0, 2), ...path.slice(1)];
}
