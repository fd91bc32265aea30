/**
 * A reader of logfmt that knows nothing of our encoder: the grammar of go-logfmt's decoder, as a strict reader sees it.
 * Bytes up to the space separate; a key goes on until `=` or a separator and holds no quote; a value is bare, without
 * `=` or quotes, or a JSON string.
 */
export type Pair = readonly [key: string, value: string | undefined];

export class LogfmtSyntaxError extends Error {}

export function parseLogfmt(line: string): Pair[] {
  if (/[\n\r\v\f\u0085\u2028\u2029]/.test(line)) throw new LogfmtSyntaxError("more than one line");
  const pairs: Pair[] = [];
  let rest = skipSeparators(line);
  while (rest !== "") {
    const key = take(rest, isKeyCharacter);
    if (key === "") throw new LogfmtSyntaxError(`no key at ${JSON.stringify(rest)}`);
    rest = rest.slice(key.length);
    if (!rest.startsWith("=")) {
      pairs.push([key, undefined]);
    } else {
      const { value, length } = readValue(rest.slice(1));
      pairs.push([key, value]);
      rest = rest.slice(1 + length);
    }
    if (rest !== "" && !isSeparator(rest)) throw new LogfmtSyntaxError(`unexpected ${JSON.stringify(rest)}`);
    rest = skipSeparators(rest);
  }
  return pairs;
}

function readValue(rest: string): { value: string; length: number } {
  if (!rest.startsWith('"')) {
    const bare = take(rest, isKeyCharacter);
    return { value: bare, length: bare.length };
  }
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(rest)?.[0];
  if (quoted === undefined) throw new LogfmtSyntaxError("unterminated quoted value");
  // Quoted values are JSON strings (go-logfmt, jsonstring.go).
  return { value: JSON.parse(quoted), length: quoted.length };
}

function isSeparator(text: string): boolean {
  return text.charCodeAt(0) <= 0x20;
}

function isKeyCharacter(character: string): boolean {
  return !isSeparator(character) && character !== "=" && character !== '"' && character !== "'";
}

function skipSeparators(text: string): string {
  let start = 0;
  while (start < text.length && isSeparator(text.slice(start))) start += 1;
  return text.slice(start);
}

function take(text: string, accepts: (character: string) => boolean): string {
  let end = 0;
  while (end < text.length && accepts(text.charAt(end))) end += 1;
  return text.slice(0, end);
}
