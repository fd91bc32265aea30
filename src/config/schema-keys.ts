import { formatKey } from "./printable.ts";
import type { TableSite } from "./reader.ts";
import { schema, type TableSchema } from "./schema.ts";
import { type KnownKey, rejectUnknownKeys } from "./unknown-keys.ts";

const rootTables: readonly KnownKey[] = [
  { key: "supervisor", names: ["supervisor"] },
  { key: "health_check", names: ["health_check", "health", "healthcheck"] },
  { key: "log", names: ["log", "logging"] },
  { key: "worker", names: ["worker"] },
  { key: "workers", names: ["workers"] },
];

/** Tells what the schema doesn't know at the top of the file. */
export function rejectUnknownTables(root: TableSite): void {
  rejectUnknownKeys(
    root,
    rootTables,
    schema.flatMap((table) => listKeys(table, root)),
  );
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
  const isOwn = (candidate: TableSchema): boolean => formatKey(candidate.path) === formatKey(path);
  const inner = schema.filter((candidate) => formatKey(candidate.path.slice(0, -1)) === formatKey(path));
  const own = [
    ...schema.filter(isOwn).flatMap((candidate) => listKeys(candidate, table)),
    ...inner.map((candidate) => knownKey(locate(candidate.path, table), [])),
    ...also.map((key) => knownKey([...table.path, key], [])),
  ];
  const others = schema.filter((candidate) => !isOwn(candidate));
  rejectUnknownKeys(
    table,
    own,
    others.flatMap((candidate) => listKeys(candidate, table)),
  );
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

function knownKey(path: readonly string[], otherNames: readonly string[]): KnownKey {
  return { key: formatKey(path), names: [path.at(-1) ?? "", ...otherNames] };
}
