/**
 * Text from elsewhere in what we print. Unsafe are the characters that could end a line, drive a terminal or turn the
 * writing direction somewhere: the control characters (C0, DEL, C1: U+009B alone starts an escape sequence for some
 * terminals, U+0085 is a line end for some readers), the line and paragraph separators, and the direction marks.
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** The text with every unsafe character as JSON would escape it: `\n`, `\u001b`. Lone surrogates become U+FFFD. */
export function escapeUnsafe(text: string): string {
  return text.toWellFormed().replace(unsafe, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const json = JSON.stringify(character).slice(1, -1);
  return json === character ? escapeCodeUnit(character) : json;
}

/** `\u001b` for the escape character; for characters of the basic plane, as all of the unsafe ones are. */
export function escapeCodeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
