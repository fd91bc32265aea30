import { arrangeErrors, type ConfigError } from "./config-error.ts";
import { describeType, describeValue, formatKey } from "./printable.ts";
import { TomlTable, type TomlValue } from "./toml.ts";

/**
 * Stands for a value that was refused, its error being on the list. Not `undefined`, which is an optional key left out;
 * TOML has no null of its own.
 */
export const failed: null = null;
export type Failed = typeof failed;

/** Gathers every mistake of one configuration, so that one run tells them all. */
export class ErrorList {
  readonly #file: string | undefined;
  readonly #errors: ConfigError[] = [];

  constructor(file: string | undefined) {
    this.#file = file;
  }

  add(error: Omit<ConfigError, "file">): void {
    this.#errors.push({ file: this.#file, ...error });
  }

  get isEmpty(): boolean {
    return this.#errors.length === 0;
  }

  arranged(): readonly ConfigError[] {
    return arrangeErrors(this.#errors);
  }
}

/** Where a value stands, and where to say so when it is wrong. */
export type Site = {
  readonly errors: ErrorList;
  /** The dotted key, in parts. */
  readonly path: readonly string[];
  readonly line: number | undefined;
};

export type TableSite = Site & { readonly table: TomlTable };

/** Reads a TOML value as a T, or puts the reason on the site's error list. */
export type ValueType<T> = {
  /** What the documentation calls it: `duration`. */
  readonly name: string;
  readonly read: (value: TomlValue, site: Site) => T | Failed;
};

/** One key of the configuration file: how it is read, and what the documentation and the messages say of it. */
export type Field<T> = {
  /** Dotted, within its table. */
  readonly key: string;
  readonly type: string;
  /** As TOML or in a few words, as the documentation shows it. */
  readonly default: string;
  readonly meaning: string;
  /** What people call it elsewhere; only for telling them our name. */
  readonly otherNames: readonly string[];
  /** The type of worker set that it belongs to, where it isn't both. */
  readonly only: "program" | "ruby" | undefined;
  readonly read: (value: TomlValue, site: Site) => T | Failed;
  readonly readAbsent: (table: Site) => T | Failed;
};

export function fail(site: Site, expected: string, found: string, suggestion?: string): Failed {
  const key = formatKey(site.path);
  site.errors.add({
    kind: "invalid",
    line: site.line,
    key,
    expected,
    found,
    ...(suggestion !== undefined && { suggestion }),
  });
  return failed;
}

export function failType(site: Site, expected: string, value: TomlValue, suggestion?: string): Failed {
  return fail(site, expected, describeValue(value), suggestion);
}

/** The site of a key of the table; on the table's own line when the key isn't there. */
export function siteOf(table: TableSite, key: string): Site {
  const line = table.table.entries.get(key)?.line ?? table.line;
  return { errors: table.errors, path: [...table.path, key], line };
}

export function hasKey(table: TableSite, field: { readonly key: string }): boolean {
  return table.table.entries.has(field.key);
}

export function readField<T>(table: TableSite, field: Field<T>): T | Failed {
  const entry = table.table.entries.get(field.key);
  const site = siteOf(table, field.key);
  return entry === undefined ? field.readAbsent(site) : field.read(entry.value, site);
}

/** A table within a table; an absent one is empty, and stands where the outer one does. */
export function readTable(table: TableSite, key: string, example: string): TableSite | Failed {
  const value = table.table.entries.get(key)?.value ?? new TomlTable(new Map());
  const site = siteOf(table, key);
  if (value instanceof TomlTable) return { ...site, table: value };
  const advice =
    describeType(value) === "an array of tables" ? "write its header in single brackets" : undefined;
  return failType(site, `a table, such as ${example}`, value, advice);
}

/** The parts with the failed ones ruled out; `failed` when there is one. */
export function requireAll<Parts extends Record<string, unknown>>(
  parts: Parts,
): { [Key in keyof Parts]: Exclude<Parts[Key], Failed> } | Failed {
  if (Object.values(parts).includes(failed)) return failed;
  // The compiler doesn't see that `includes` has just ruled `failed` out of every property.
  return parts as { [Key in keyof Parts]: Exclude<Parts[Key], Failed> };
}
