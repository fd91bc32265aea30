import type { LogFormat } from "./config.ts";
import { type Failed, fail, failed, siteOf, type TableSite, type ValueType } from "./reader.ts";
import { TomlTable } from "./toml.ts";
import { knownKey, rejectUnknownKeys } from "./unknown-keys.ts";
import { boolean, words } from "./value-types.ts";

const formatKeys = ["format", "print_prefix"];
const formats = words("logfmt", "json");

/** A word, or the original's table: `{ format = "json" }`, `{ format = "logfmt", print_prefix = true }`. */
export const logFormat: ValueType<LogFormat> = {
  name: '"logfmt", "json", or a table',
  read: (value, site) => {
    if (value instanceof TomlTable) return readFormatTable({ ...site, table: value });
    const kind = formats.read(value, site);
    return kind === failed ? failed : makeFormat(kind, false);
  },
};

function readFormatTable(table: TableSite): LogFormat | Failed {
  const format = table.table.entries.get("format");
  const prefix = table.table.entries.get("print_prefix");
  rejectUnknownKeys(table, formatKeys, () => ({
    own: formatKeys.map((key) => knownKey([...table.path, key])),
    elsewhere: [],
  }));
  const kind =
    format === undefined
      ? fail(siteOf(table, "format"), '"logfmt" or "json"', "none")
      : formats.read(format.value, siteOf(table, "format"));
  const printPrefix =
    prefix === undefined ? false : boolean.read(prefix.value, siteOf(table, "print_prefix"));
  if (kind === failed || printPrefix === failed) return failed;
  if (kind === "json" && printPrefix) {
    return fail(
      siteOf(table, "print_prefix"),
      'false with format = "json"',
      "true",
      "only logfmt has a prefix",
    );
  }
  return makeFormat(kind, printPrefix);
}

function makeFormat(kind: "logfmt" | "json", printPrefix: boolean): LogFormat {
  return kind === "json" ? { kind } : { kind, printPrefix };
}
