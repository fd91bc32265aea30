import { escapeUnsafe } from "../escape.ts";

/** One mistake in a configuration. Texts are ready for a terminal except for control characters. */
export type ConfigError = {
  readonly kind: "invalid" | "unknown-key";
  /** As it was named on the command line; undefined for `kleinhirn run -- CMD`. */
  readonly file: string | undefined;
  /** Counted from 1: the line of the key, else of the table that it belongs to; undefined where neither is there. */
  readonly line: number | undefined;
  /** Dotted; empty when the file isn't TOML at all. */
  readonly key: string;
  readonly expected: string;
  readonly found: string;
  /** What to do about it. */
  readonly suggestion?: string;
};

/** One line for each error, such as `shop.toml:12: worker.count: expected …, found …; …`; no newline at the end. */
export function formatConfigErrors(errors: readonly ConfigError[]): string {
  return errors.map(formatConfigError).join("\n");
}

function formatConfigError(error: ConfigError): string {
  const place = [error.file, error.line].filter((part) => part !== undefined).join(":");
  const advice = error.suggestion === undefined ? "" : `; ${error.suggestion}`;
  return escapeUnsafe(`${place}${place === "" ? "" : ": "}${formatProblem(error)}${advice}`);
}

function formatProblem(error: ConfigError): string {
  if (error.kind === "unknown-key") return `unknown key "${error.key}"`;
  return `${error.key}${error.key === "" ? "" : ": "}expected ${error.expected}, found ${error.found}`;
}

/** In file order; what has no line comes last. The same mistake, met by two checks, is told once. */
export function arrangeErrors(errors: readonly ConfigError[]): readonly ConfigError[] {
  const unique = new Map(errors.map((error) => [JSON.stringify(error), error]));
  const lineOf = (error: ConfigError): number => error.line ?? Number.MAX_SAFE_INTEGER;
  return [...unique.values()].sort((left, right) => lineOf(left) - lineOf(right));
}
