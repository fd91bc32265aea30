import type { Fields, Level } from "../core/log-event.ts";

export type FieldValue = string | number | boolean;

/** A key that can neither be taken for one of the fixed keys nor break the line, and its value. */
export type Field = readonly [key: string, value: FieldValue];

/** One event as every format renders it: the fixed part, and then the event's own fields in their given order. */
export type LogRecord = {
  readonly time: Date;
  readonly level: Level;
  readonly message: string;
  readonly service: string;
  readonly fields: readonly Field[];
};

/** What begins every line, in this order. */
const fixedKeys: ReadonlySet<string> = new Set(["ts", "level", "msg", "service"]);

/**
 * What go-logfmt drops from a key (everything up to the space, `=`, `"`, U+FFFD), and beyond that the quote that older
 * logfmt decoders refuse, the backslash, which simple ones skip with what follows (`pid\x` would be read as `pid`), and
 * every other character that ends a line or turns the writing direction somewhere.
 */
const notInKeys = /[\s="'\\\uFFFD\p{Cc}\p{Bidi_Control}]/gu;

/**
 * Makes an event's fields safe to render. Keys may come from a worker or a preloader, so a key that is one of the fixed
 * keys, or that had to be cleaned (`le vel` would become `level`), gets `field_` in front: no one but kleinhirn itself says
 * what the level, the service or the time of an event was. Should two keys come out the same, the first one counts.
 * Undefined values are left out.
 */
export function safeFields(fields: Fields): Field[] {
  const safe = new Map<string, FieldValue>();
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const name = safeKey(key);
    if (!safe.has(name)) safe.set(name, value);
  }
  return [...safe];
}

function safeKey(key: string): string {
  const clean = key.toWellFormed().replace(notInKeys, "");
  return clean !== key || clean === "" || fixedKeys.has(clean) ? `field_${clean}` : clean;
}

/** The whole record as fields, in the order that logfmt and JSON share. */
export function recordFields(record: LogRecord): Field[] {
  return [
    ["ts", record.time.toISOString()],
    ["level", record.level],
    ["msg", record.message],
    ["service", record.service],
    ...record.fields,
  ];
}
