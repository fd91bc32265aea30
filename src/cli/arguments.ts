/** The strict reading of the command line: citty takes unknown flags and stray arguments without a word. */
import { findNearest } from "../config/suggest.ts";
import { assertNever } from "../core/assert-never.ts";
import { type CommandName, commands, defaultConfigFile } from "./definitions.ts";
import { type FlagUse, parseTokens } from "./flags.ts";
import { shown, UsageError } from "./usage-error.ts";

/** A program that is to be supervised without a configuration file; count and name as they were typed. */
export type ProgramToRun = {
  readonly argv: readonly [string, ...string[]];
  readonly count: string | undefined;
  readonly name: string | undefined;
};

export type Command =
  | { readonly kind: "run"; readonly configFile: string; readonly program: ProgramToRun | undefined }
  | { readonly kind: "check"; readonly configFile: string }
  | { readonly kind: "ack" }
  /** `configFile`: undefined when it is the default, which need not be there. */
  | { readonly kind: "health"; readonly url: string | undefined; readonly configFile: string | undefined }
  | { readonly kind: "help"; readonly topic: CommandName | undefined }
  | { readonly kind: "version" };

/**
 * What the arguments (without the program's own name) ask for. `--help` and `--version` are heard whatever else is wrong.
 *
 * @throws UsageError that names the argument, and the one that was probably meant.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const program = end === -1 ? undefined : argv.slice(end + 1);
  const { uses, words } = parseTokens(own);
  const [word] = words;
  const named = isCommandName(word) ? word : undefined;
  const isAsked = (name: string) => uses.some((use) => use.name === name && use.problem === undefined);
  if (isAsked("help")) return { kind: "help", topic: named };
  if (isAsked("version")) return { kind: "version" };
  if (word !== undefined && named === undefined) {
    // After a misspelt flag its value looks like a command.
    const unknown = uses.find((use) => use.name === undefined);
    throw unknown ? unknownFlag(unknown.spelling, "run") : unknownCommand(word, program !== undefined);
  }
  const command = named ?? "run";
  const values = checkFlags(uses, command);
  refuseStrayWords(words.slice(1), command);
  return build(command, values, program);
}

type Values = ReadonlyMap<string, string>;

function build(command: CommandName, values: Values, program: readonly string[] | undefined): Command {
  const configFile = values.get("config-file");
  if (command !== "run" && program !== undefined) {
    throw new UsageError(`only "kleinhirn run" takes a program after --`, command);
  }
  switch (command) {
    case "run":
      return {
        kind: "run",
        configFile: configFile ?? defaultConfigFile,
        program: readProgram(values, program),
      };
    case "check":
      return { kind: "check", configFile: configFile ?? defaultConfigFile };
    case "ack":
      return { kind: "ack" };
    case "health":
      if (configFile !== undefined && values.has("url")) {
        throw new UsageError("--url and -f contradict each other: each names an address", command);
      }
      return { kind: "health", url: values.get("url"), configFile };
    default:
      return assertNever(command);
  }
}

function readProgram(values: Values, program: readonly string[] | undefined): ProgramToRun | undefined {
  const count = values.get("count");
  const name = values.get("name");
  if (program === undefined) {
    if (count !== undefined) throw needsProgram("-n", "worker.count");
    if (name !== undefined) throw needsProgram("--name", "supervisor.name");
    return undefined;
  }
  const [executable, ...rest] = program;
  if (executable === undefined || executable === "") {
    throw new UsageError("after -- belongs a program to supervise: kleinhirn run -- CMD ARG…", "run");
  }
  if (values.has("config-file")) {
    throw new UsageError(
      "-f and -- CMD contradict each other: a program that is given here needs no file",
      "run",
    );
  }
  return { argv: [executable, ...rest], count, name };
}

function needsProgram(flag: string, key: string): UsageError {
  return new UsageError(`${flag} goes with -- CMD alone; in a configuration file it is ${key}`, "run");
}

/** Every flag must be one of the command's, complete, and given once. */
function checkFlags(uses: readonly FlagUse[], command: CommandName): Values {
  const values = new Map<string, string>();
  for (const use of uses) {
    if (use.problem !== undefined) throw new UsageError(use.problem, command);
    if (use.name === undefined) throw unknownFlag(use.spelling, command);
    if (!(use.name in commands[command].args)) {
      throw new UsageError(`${shown(use.spelling)} is no flag of "kleinhirn ${command}"`, command);
    }
    if (values.has(use.name)) throw new UsageError(`${shown(use.spelling)} is given twice`, command);
    values.set(use.name, use.value);
  }
  return values;
}

function unknownFlag(spelling: string, command: CommandName): UsageError {
  const known = Object.keys(commands[command].args).filter((name) => !name.startsWith("-"));
  const nearest = findNearest(
    spelling,
    known.map((name) => `--${name}`),
  );
  const suggestion = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return new UsageError(`unknown flag ${shown(spelling)}${suggestion}`, command);
}

function unknownCommand(word: string, hasProgram: boolean): UsageError {
  const nearest = findNearest(word, Object.keys(commands));
  const message = `unknown command ${shown(word)}`;
  if (nearest !== undefined) return new UsageError(`${message}; did you mean ${nearest}?`);
  return new UsageError(hasProgram ? message : `${message}; a program to supervise goes after --`);
}

function refuseStrayWords(words: readonly string[], command: CommandName): void {
  const [word] = words;
  if (word === undefined) return;
  const suggestion = command === "run" ? "; a program to supervise goes after --" : "";
  throw new UsageError(`stray argument ${shown(word)}${suggestion}`, command);
}

function isCommandName(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(commands, word);
}
