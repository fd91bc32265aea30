const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The spellings of humantime, with which the original kleinhirn read its durations, from milliseconds to weeks. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ...spellUnit(1, "ms", "msec"),
  ...spellUnit(1000, "s", "sec", "second", "seconds"),
  ...spellUnit(minuteMs, "m", "min", "minute", "minutes"),
  ...spellUnit(hourMs, "h", "hr", "hrs", "hour", "hours"),
  ...spellUnit(dayMs, "d", "day", "days"),
  ...spellUnit(7 * dayMs, "w", "week", "weeks"),
]);

function spellUnit(ms: number, ...spellings: readonly string[]): [string, number][] {
  return spellings.map((spelling) => [spelling, ms]);
}

/** A timer in JavaScript takes at most 2^31 - 1 ms, not quite 25 days, and fires at once when given more. */
export const longestDurationMs = 24 * dayMs;

export type DurationResult =
  | { readonly ok: true; readonly ms: number }
  /** `remedy` says in a few words what to write instead. */
  | { readonly ok: false; readonly remedy: string };

/** Reads `400ms`, `2m 30s`, `1h30m`, `10 seconds`: whole numbers, each with a unit, added up; milliseconds. */
export function parseDuration(text: string): DurationResult {
  if (text.trim() === "") return refuse('write a number and a unit, such as "10s"');
  const span = /\s*(\d+)\s*([A-Za-z]+)\s*/y;
  let totalMs = 0;
  while (span.lastIndex < text.length) {
    const start = span.lastIndex;
    const [, digits, unit] = span.exec(text) ?? [];
    if (digits === undefined || unit === undefined) return refuse(explainBadSpan(text, text.slice(start)));
    const ms = unitMs.get(unit);
    if (ms === undefined) return refuse(`"${unit}" is not a unit: use ms, s, m, h, d or w`);
    totalMs += Number(digits) * ms;
  }
  if (totalMs > longestDurationMs)
    return refuse(`the longest duration is ${formatDuration(longestDurationMs)}`);
  return { ok: true, ms: totalMs };
}

function refuse(remedy: string): DurationResult {
  return { ok: false, remedy };
}

function explainBadSpan(text: string, rest: string): string {
  const fraction = /^\s*(\d+\.\d+)\s*([A-Za-z]+)\s*$/.exec(text);
  const ms = unitMs.get(fraction?.[2] ?? "");
  if (ms !== undefined) return explainFraction(Number(fraction?.[1]) * ms);
  if (/^\s*-/.test(rest)) return "a duration can't be negative";
  if (/^\s*\d+\s*$/.test(rest)) return `add a unit, such as "${rest.trim()}s"`;
  return 'write whole numbers, each followed by a unit, such as "2m 30s"';
}

function explainFraction(ms: number): string {
  const wholeMs = Math.round(ms);
  const example = wholeMs > 0 && wholeMs <= longestDurationMs ? formatDuration(wholeMs) : "1s 500ms";
  return `write whole numbers, such as "${example}"`;
}

/** The shortest spelling that `parseDuration` reads back: `2m 30s` for 150 000 ms; `0s` for none. */
export function formatDuration(totalMs: number): string {
  const parts: string[] = [];
  let restMs = totalMs;
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const ms = unitMs.get(unit) ?? 1;
    const amount = Math.floor(restMs / ms);
    if (amount > 0) parts.push(`${amount}${unit}`);
    restMs -= amount * ms;
  }
  return parts.join(" ") || "0s";
}
