import { formatKey } from "./printable.ts";
import { siteOf, type TableSite } from "./reader.ts";
import { findNearest } from "./suggest.ts";

/** A key that a message may propose. */
export type KnownKey = {
  /** From the root of the file. */
  readonly path: readonly string[];
  /** The key's own last part, and what people call it elsewhere. */
  readonly names: readonly string[];
};

/** The keys of the table itself, and those of the others. */
export type KnownKeys = { readonly own: readonly KnownKey[]; readonly elsewhere: readonly KnownKey[] };

/**
 * Tells every key of the table that isn't one of its own, with the key that was probably meant: one of this table, or one
 * that stands in another table under this very name.
 *
 * @param listKnownKeys only asked when there is something to tell, which spares every sound start-up the work
 */
export function rejectUnknownKeys(
  table: TableSite,
  ownKeys: readonly string[],
  listKnownKeys: () => KnownKeys,
): void {
  for (const key of table.table.entries.keys()) {
    if (ownKeys.includes(key)) continue;
    const site = siteOf(table, key);
    const meant = findMeantKey(key, listKnownKeys());
    table.errors.add({
      kind: "unknown-key",
      line: site.line,
      key: formatKey(site.path),
      expected: "a key that is known here",
      found: `"${key}"`,
      ...(meant !== undefined && { suggestion: `did you mean "${formatKey(meant.path)}"?` }),
    });
  }
}

/** What has this very name counts for more than what has a similar one. */
function findMeantKey(key: string, { own, elsewhere }: KnownKeys): KnownKey | undefined {
  const called =
    own.find(({ names }) => names.includes(key)) ?? elsewhere.find(({ names }) => names[0] === key);
  if (called !== undefined) return called;
  const nearest = findNearest(
    key,
    own.flatMap(({ names }) => names),
  );
  return nearest === undefined ? undefined : own.find(({ names }) => names.includes(nearest));
}

export function knownKey(path: readonly string[], otherNames: readonly string[] = []): KnownKey {
  return { path, names: [path.at(-1) ?? "", ...otherNames] };
}
