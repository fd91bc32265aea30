/**
 * The parser class inside @iarna/toml 3.0.0, which comes without types: only what `positions.ts` builds upon.
 * Importing it alone also leaves the package's stream and serialising halves unloaded.
 */
declare module "@iarna/toml/lib/toml-parser.js" {
  /** `a.b = value`, as the parser hands it from one state to the next; `keyLine` is added by our subclass. */
  type Assignment = { key: string[]; value: unknown; keyLine: number };

  class TomlParser {
    /** Counted from 0. */
    line: number;
    /** Index into the text of the character being looked at. */
    ii: number;
    /** Its code point; beyond Unicode's range at the end of the file. */
    char: number;
    /** The table that statements are added to. */
    ctx: object;
    /** `resultTable` is the list of a dotted key's parts in one state and the inline table being built in another. */
    state: { resultTable: object; keyLine?: number };
    parse(text: string): void;
    finish(): Record<string, unknown>;
    returnNow(value: unknown): unknown;
    recordAssignKeyword(key: string): unknown;
    recordAssignValue(value: unknown): unknown;
    recordAssignStatement(assignment: Assignment): unknown;
    recordInlineTableValue(assignment: Assignment): unknown;
    parseTable(): unknown;
    parseTableMore(keyword: string): unknown;
    parseList(): unknown;
    parseListMore(keyword: string): unknown;
  }

  export = TomlParser;
}
