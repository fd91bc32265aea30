import { describeType, quote } from "./printable.ts";
import { type Failed, fail, failed, failType, type Site, type ValueType } from "./reader.ts";
import { TomlTable, type TomlValue } from "./toml.ts";

/** What the supervisor itself tells its workers (specification sections 5 and 7). */
const ownNames = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_FDS_FIRST_FD", "NOTIFY_SOCKET"];
const ownPrefix = "KLEINHIRN_";

/** Variables for a worker. The record has no prototype, so that a variable may even be called `__proto__`. */
export const environment: ValueType<Readonly<Record<string, string>>> = {
  name: "table of strings",
  read: (value, site) => {
    if (!(value instanceof TomlTable)) {
      return failType(site, 'a table of strings, such as { RAILS_ENV = "production" }', value);
    }
    const variables: Record<string, string> = Object.create(null);
    let sound = true;
    for (const [name, entry] of value.entries) {
      const at = { ...site, path: [...site.path, name], line: entry.line };
      const text = readVariable(name, entry.value, at);
      if (text === failed) sound = false;
      else variables[name] = text;
    }
    return sound ? variables : failed;
  },
};

/** No message shows a value: it may be a secret, and messages go into logs. */
function readVariable(name: string, value: TomlValue, site: Site): string | Failed {
  if (name === "" || /[=\0]/.test(name)) {
    return fail(
      site,
      'the name of a variable, without "=" and NUL',
      name === "" ? "an empty name" : quote(name),
    );
  }
  if (name.startsWith(ownPrefix) || ownNames.includes(name)) {
    return fail(site, "a variable that kleinhirn doesn't set itself", quote(name), "remove it");
  }
  if (typeof value !== "string") return fail(site, "a string", describeType(value), adviseQuotes(value));
  return value.includes("\0") ? fail(site, "a string without NUL characters", "one with a NUL") : value;
}

function adviseQuotes(value: TomlValue): string | undefined {
  if (value instanceof TomlTable) return "variables aren't nested; quote the name if there is a dot in it";
  return typeof value === "object" ? undefined : "put it in quotes";
}
