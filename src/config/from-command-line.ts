import { basename } from "node:path";
import type { ConfigError } from "./config-error.ts";
import { type LoadResult, validateDocument } from "./load.ts";
import { ErrorList } from "./reader.ts";
import { TomlTable, type TomlValue } from "./toml.ts";
import { makeName } from "./value-types.ts";
import type { World } from "./world.ts";

/** What stands on the line of `kleinhirn run [-n COUNT] [--name NAME] -- CMD ARG…`, as it was typed. */
export type CommandLine = {
  readonly count: string | undefined;
  readonly name: string | undefined;
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
};

/** A configuration without a file: one set that runs the command, everything else as a file's defaults. */
export function configFromCommand(line: CommandLine, world: World): LoadResult {
  const name = line.name ?? makeName(basename(line.argv[0] ?? "")) ?? "kleinhirn";
  const document = makeTable({
    supervisor: makeTable({ name }),
    worker: makeTable({
      type: "program",
      cmdline: line.argv,
      ...(line.count !== undefined && { count: readNumber(line.count) }),
    }),
  });
  const result = validateDocument(document, new ErrorList(undefined), {
    file: undefined,
    folder: line.cwd,
    world,
  });
  if (result.ok || result.reason !== "invalid") return result;
  return { ...result, errors: result.errors.map(nameOption) };
}

function makeTable(values: Readonly<Record<string, TomlValue>>): TomlTable {
  return new TomlTable(
    new Map(Object.entries(values).map(([key, value]) => [key, { value, line: undefined }])),
  );
}

/** Anything but a number goes on as text, to be accepted or refused as it would be in a file. */
function readNumber(text: string): TomlValue {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

const options: ReadonlyMap<string, string> = new Map([
  ["supervisor.name", "--name"],
  ["worker.count", "-n"],
  ["worker.cmdline", "CMD"],
]);

/** The user has typed no `worker.count`. */
function nameOption(error: ConfigError): ConfigError {
  const [, key = "", index = ""] = /^(.*?)(\[\d+\])?$/s.exec(error.key) ?? [];
  const option = options.get(key);
  if (option === undefined) return error;
  return { ...error, key: index === "" || index === "[0]" ? option : `ARG ${index.slice(1, -1)}` };
}
