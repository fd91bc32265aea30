/** Finds, in TypeScript and Ruby, what is given to a call or stands in an object: enough of a parser for literals. */

/** The texts of the arguments of each call that begins with `head`, which ends in an opening bracket. */
export function listArguments(source: string, head: RegExp): readonly (readonly string[])[] {
  return [...source.matchAll(new RegExp(head, "g"))].map((found) =>
    splitArguments(source.slice((found.index ?? 0) + found[0].length)),
  );
}

/** Up to the bracket that closes what was opened before `text`. */
function splitArguments(text: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|[\s\S]/g)) {
    if (/^[([{]$/.test(token)) depth += 1;
    if (/^[)\]}]$/.test(token)) depth -= 1;
    if (depth < 0) break;
    if (token === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += token;
  }
  return parts.map((part) => part.trim());
}

/** The value of a key in the text of an object: `"info"` for `level` in `level: "info", message: "…"`. */
export function memberOf(members: readonly string[], key: string): string | undefined {
  const member = members.find((each) => each.startsWith(`${key}:`));
  return member?.slice(key.length + 1).trim();
}

/** All strings that an expression can be: both of a choice, and `…` for what is filled in. */
export function listStrings(expression: string): readonly string[] {
  // What is compared is no value of the expression.
  const values = expression.replace(/[=!]==\s*"[^"]*"/g, "");
  return [...values.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, text = ""]) =>
    text.replace(/#\{[^}]*\}/g, "…"),
  );
}
