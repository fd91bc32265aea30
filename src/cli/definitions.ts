/** Every command and flag there is: what `parseCommandLine` accepts and what `--help` shows come from here alone. */
import type { ArgsDef, CommandDef } from "citty";
import packageJson from "../../package.json" with { type: "json" };
import { commit } from "../build.ts";

export const version: string = packageJson.version;

/** What `--version` prints: `kleinhirn 0.1.0 (1a2b3c4)`, in a source tree without the commit. */
export const versionLine: string = `kleinhirn ${version}${commit === undefined ? "" : ` (${commit})`}`;

export const defaultConfigFile = "./kleinhirn.toml";

/** citty would take them as built in, and then not show them. */
const everywhere = {
  help: { type: "boolean", alias: "h", description: "show this help" },
  version: { type: "boolean", description: "show the version" },
} as const satisfies ArgsDef;

const configFile = {
  "config-file": {
    type: "string",
    alias: "f",
    valueHint: "FILE",
    default: defaultConfigFile,
    description: "the configuration",
  },
} as const satisfies ArgsDef;

const runFlags = {
  ...configFile,
  count: {
    type: "string",
    alias: "n",
    valueHint: "COUNT",
    default: "1",
    description: "with -- CMD: how many workers, or auto: as many as there are CPUs",
  },
  name: {
    type: "string",
    valueHint: "NAME",
    description: "with -- CMD: the service's name (Default: CMD's own)",
  },
} as const satisfies ArgsDef;

/** Not a flag: it makes citty show what may follow `--`. */
const programToRun = {
  "-- cmd arg…": {
    type: "positional",
    required: false,
    description: "supervise this program, without a configuration file",
  },
} as const satisfies ArgsDef;

export const commands = {
  run: {
    meta: { name: "run", description: "supervise the workers of a configuration file, or a program" },
    args: { ...runFlags, ...everywhere, ...programToRun },
  },
  check: {
    meta: { name: "check", description: "validate the configuration, print what would run, start nothing" },
    args: { ...configFile, ...everywhere },
  },
  ack: {
    meta: {
      name: "ack",
      description: "from a worker's script: tell the supervisor that the worker is ready",
    },
    args: everywhere,
  },
  health: {
    meta: { name: "health", description: "ask the health endpoint, print the answer, exit 0 or 1" },
    args: {
      url: {
        type: "string",
        valueHint: "URL",
        description: "http://HOST:PORT/PATH or unix:SOCKET:/PATH (Default: the configuration's)",
      },
      ...configFile,
      ...everywhere,
    },
  },
} as const satisfies Readonly<Record<string, CommandDef<ArgsDef>>>;

export type CommandName = keyof typeof commands;

/** `run` is what is meant where no command is named. */
export const root = {
  meta: { name: "kleinhirn", version, description: "A preloading process supervisor for containers" },
  args: { ...runFlags, ...everywhere },
  subCommands: commands,
} as const satisfies CommandDef<ArgsDef>;
