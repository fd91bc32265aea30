type MediaRange = { readonly type: string; readonly quality: number };

/**
 * Whether an Accept header asks for JSON rather than plain text (RFC 9110 §12.5.1): the most specific range that matches
 * each of the two counts, and of equals the plain text wins. No header, or one that accepts neither, gets the plain
 * text: an answer in the wrong format serves a probe better than none.
 */
export function prefersJson(accept: string | null): boolean {
  if (accept === null) return false;
  const ranges = accept.split(",").map(readRange);
  return qualityOf("application/json", ranges) > qualityOf("text/plain", ranges);
}

function readRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = weight === undefined ? 1 : Number(weight.slice("q=".length));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const [family = ""] = type.split("/");
  for (const pattern of [type, `${family}/*`, "*/*"]) {
    const range = ranges.find((candidate) => candidate.type === pattern);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
