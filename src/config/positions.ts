import TomlParser from "@iarna/toml/lib/toml-parser.js";

type Assignment = Parameters<TomlParser["recordAssignStatement"]>[0];

/**
 * Stands before every key while the library works on a file. The library looks keys up in ordinary objects, so
 * that `[constructor]` would be taken for `Object` itself and everything below it would be written onto that
 * global; no inherited property begins with a dot.
 */
const shield = ".";

export function unshield(key: string): string {
  return key.slice(shield.length);
}

const dotCode = 0x2e;
const closingBracketCode = 0x5d;

/** What the parser was at when it gave up: the key with the names of the tables around it. */
export type Subject = { readonly path: readonly string[]; readonly line: number };

/**
 * The library's parser, which remembers the line of every key while it reads. The values themselves come out
 * without positions, and a second scanner could disagree with the parser; its own callbacks cannot.
 *
 * It relies on the methods of @iarna/toml 3.0.0 that it overrides; the package is pinned to that version.
 */
export class PositionedParser extends TomlParser {
  /** For each table that the parser made: the 1-based line on which each of its (shielded) keys stands. */
  readonly lines = new WeakMap<object, Map<string, number>>();
  subject: Subject | undefined;
  readonly #root: object;
  #header: string[] = [];

  constructor() {
    super();
    this.#root = this.ctx;
  }

  /** The line of the key at `path` (shielded), or of the nearest enclosing one that has been read. */
  lineOf(path: readonly string[]): number | undefined {
    let table: unknown = this.#root;
    let line: number | undefined;
    for (const key of path) {
      if (!isObject(table)) break;
      line = this.lines.get(table)?.get(key) ?? line;
      table = Object.hasOwn(table, key) ? table[key] : undefined;
    }
    return line;
  }

  override recordAssignKeyword(key: string): unknown {
    this.state.keyLine ??= this.line + 1;
    return super.recordAssignKeyword(shield + key);
  }

  override recordAssignValue(value: unknown): unknown {
    return this.returnNow({ key: this.state.resultTable, value, keyLine: this.state.keyLine });
  }

  override recordAssignStatement(assignment: Assignment): unknown {
    const [table, path, line] = [this.ctx, [...assignment.key], assignment.keyLine];
    this.subject = { path: [...this.#header, ...path], line };
    const next = super.recordAssignStatement(assignment);
    this.#note(table, path, line);
    return next;
  }

  override recordInlineTableValue(assignment: Assignment): unknown {
    const [table, path, line] = [this.state.resultTable, [...assignment.key], assignment.keyLine];
    this.subject = { path, line };
    const next = super.recordInlineTableValue(assignment);
    this.#note(table, path, line);
    return next;
  }

  override parseTable(): unknown {
    this.#header = [];
    return super.parseTable();
  }

  override parseTableMore(keyword: string): unknown {
    return this.#recordHeaderName(keyword, (key) => super.parseTableMore(key));
  }

  override parseList(): unknown {
    this.#header = [];
    return super.parseList();
  }

  override parseListMore(keyword: string): unknown {
    return this.#recordHeaderName(keyword, (key) => super.parseListMore(key));
  }

  /** The parser comes here once for each character after a name in a header; only `.` and `]` end the name. */
  #recordHeaderName(keyword: string, proceed: (key: string) => unknown): unknown {
    const key = shield + keyword;
    if (this.char !== dotCode && this.char !== closingBracketCode) return proceed(key);
    this.#header.push(key);
    // Not a copy: a header of a hundred thousand names would be copied as often, and no other header uses this array.
    this.subject = { path: this.#header, line: this.line + 1 };
    const table = this.ctx;
    const next = proceed(key);
    const explicit = this.char === closingBracketCode;
    this.#noteKey(table, key, this.line + 1, explicit);
    return next;
  }

  #note(start: object, path: readonly string[], line: number): void {
    let table: unknown = start;
    for (const [index, key] of path.entries()) {
      if (!isObject(table)) return;
      this.#noteKey(table, key, line, index === path.length - 1);
      table = table[key];
    }
  }

  /** `[worker.restart]` mentions `worker` too, but the line of a later `[worker]` says more about it. */
  #noteKey(table: object, key: string, line: number, explicit: boolean): void {
    const keys = this.lines.get(table) ?? new Map<string, number>();
    this.lines.set(table, keys);
    if (explicit || !keys.has(key)) keys.set(key, line);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
