import type { ArgDef } from "citty";
import { commands } from "./definitions.ts";
import { shown } from "./usage-error.ts";

/** One flag as it was given. */
export type FlagUse = {
  /** As the user wrote it, without the value. */
  readonly spelling: string;
  /** undefined: no command has such a flag. */
  readonly name: string | undefined;
  /** Empty for a flag that takes none. */
  readonly value: string;
  /** What is wrong with the value. */
  readonly problem: string | undefined;
};

export type Tokens = {
  readonly uses: readonly FlagUse[];
  /** What is neither a flag nor a flag's value. */
  readonly words: readonly string[];
};

type Flag = { readonly name: string; readonly takesValue: boolean; readonly valueHint: string };

/** By spelling. A flag means the same in every command that has it, so it can be read before the command is known. */
const flags: ReadonlyMap<string, Flag> = collectFlags();

/**
 * Splits what stands before `--` into flags and words; never throws. The spellings are those of getopt_long(3) without its
 * abbreviations: `-f FILE`, `-fFILE`, `--config-file FILE`, `--config-file=FILE`.
 */
export function parseTokens(argv: readonly string[]): Tokens {
  const uses: FlagUse[] = [];
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const token = argv[index] ?? "";
    if (!isFlag(token)) {
      words.push(token);
      continue;
    }
    const { spelling, attached } = splitToken(token);
    const flag = flags.get(spelling);
    const next = flag?.takesValue && attached === undefined ? argv[index + 1] : undefined;
    // What looks like a flag is one: `-n --name` is a forgotten count, not a count of "--name".
    const separate = next !== undefined && !isFlag(next) ? next : undefined;
    if (separate !== undefined) index += 1;
    uses.push(describeUse(spelling, flag, attached ?? separate));
  }
  return { uses, words };
}

function isFlag(token: string): boolean {
  return token.startsWith("-") && token !== "-";
}

function splitToken(token: string): { spelling: string; attached: string | undefined } {
  if (!token.startsWith("--")) {
    const isShort = flags.get(token.slice(0, 2))?.takesValue && token.length > 2;
    return isShort
      ? { spelling: token.slice(0, 2), attached: token.slice(2) }
      : { spelling: token, attached: undefined };
  }
  const equals = token.indexOf("=");
  if (equals === -1) return { spelling: token, attached: undefined };
  return { spelling: token.slice(0, equals), attached: token.slice(equals + 1) };
}

function describeUse(spelling: string, flag: Flag | undefined, value: string | undefined): FlagUse {
  const problem = flag === undefined ? undefined : findProblem(spelling, flag, value);
  return { spelling, name: flag?.name, value: value ?? "", problem };
}

function findProblem(spelling: string, flag: Flag, value: string | undefined): string | undefined {
  if (!flag.takesValue)
    return value === undefined ? undefined : `${spelling} takes no value, not ${shown(value)}`;
  if (value === undefined || value === "") return `${spelling} needs a value: ${spelling} ${flag.valueHint}`;
  if (spelling.length === 2 && value.startsWith("=")) {
    return `${shown(spelling + value)} has a = too many: write ${spelling} ${flag.valueHint}`;
  }
  return undefined;
}

function collectFlags(): Map<string, Flag> {
  const bySpelling = new Map<string, Flag>();
  for (const command of Object.values(commands)) {
    // Widened: that some commands lack some flags matters to nobody here.
    const definitions: Readonly<Record<string, ArgDef>> = command.args;
    for (const [name, definition] of Object.entries(definitions)) {
      if (definition.type === "positional") continue;
      const flag = { name, takesValue: definition.type === "string", valueHint: definition.valueHint ?? "" };
      bySpelling.set(`--${name}`, flag);
      if ("alias" in definition) bySpelling.set(`-${definition.alias}`, flag);
    }
  }
  return bySpelling;
}
