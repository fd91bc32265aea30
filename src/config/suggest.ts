/**
 * The candidate nearest to a misspelt word, where one is near enough to be what was meant: at most one slip
 * (a letter missing, added, wrong, or two exchanged) for every three letters, or else the only one that the word
 * abbreviates (`warn`).
 */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  let nearest: string | undefined;
  let smallest = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of all) {
    // The distance is never below the difference in length: a key of a megabyte must not fill a table.
    if (Math.abs(candidate.length - word.length) >= smallest) continue;
    const distance = countSlips(word.toLowerCase(), candidate.toLowerCase());
    if (distance < smallest && distance < candidate.length) [nearest, smallest] = [candidate, distance];
  }
  return nearest ?? findLonger(word, all);
}

function findLonger(word: string, candidates: readonly string[]): string | undefined {
  const longer = candidates.filter((candidate) => candidate.startsWith(word.toLowerCase()));
  return word.length >= 3 && longer.length === 1 ? longer[0] : undefined;
}

/** Damerau-Levenshtein distance in its restricted form: no letter takes part in two slips. */
export function countSlips(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const slips = [
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      ];
      const exchanged = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && exchanged) slips.push(at(beforeLast, column - 2) + 1);
      current.push(Math.min(...slips));
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
