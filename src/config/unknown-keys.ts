import { formatKey } from "./printable.ts";
import { siteOf, type TableSite } from "./reader.ts";
import { findNearest } from "./suggest.ts";

/** A key that a message may propose. */
export type KnownKey = {
  /** Dotted, from the root of the file. */
  readonly key: string;
  /** The key's own last part, and what people call it elsewhere. */
  readonly names: readonly string[];
};

/**
 * Tells every key of the table that isn't one of its own, with the key that was probably meant: one of this table, or one
 * that stands in another table under this very name.
 *
 * @param elsewhere the keys of the other tables
 */
export function rejectUnknownKeys(
  table: TableSite,
  own: readonly KnownKey[],
  elsewhere: readonly KnownKey[],
): void {
  const known = new Set(own.map(({ names }) => names[0]));
  for (const key of table.table.entries.keys()) {
    if (known.has(key)) continue;
    const site = siteOf(table, key);
    const meant = findMeantKey(key, own, elsewhere);
    table.errors.add({
      kind: "unknown-key",
      line: site.line,
      key: formatKey(site.path),
      expected: "a key that is known here",
      found: `"${key}"`,
      ...(meant !== undefined && { suggestion: `did you mean "${meant}"?` }),
    });
  }
}

/** What has this very name counts for more than what has a similar one. */
function findMeantKey(
  key: string,
  own: readonly KnownKey[],
  elsewhere: readonly KnownKey[],
): string | undefined {
  const called =
    own.find(({ names }) => names.includes(key)) ?? elsewhere.find(({ names }) => names[0] === key);
  if (called !== undefined) return called.key;
  const nearest = findNearest(
    key,
    own.flatMap(({ names }) => names),
  );
  return nearest === undefined ? undefined : own.find(({ names }) => names.includes(nearest))?.key;
}
