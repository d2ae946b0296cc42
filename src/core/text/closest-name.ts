/**
 * Maximum characters of a word that is compared with known names. The known names are less than half as long.
 */
const MAX_WORD = 40;

/** Returns the known name that is most similar to `word`, ignoring case. Undefined if none is similar. */
export function closestName(word: string, known: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const typed = word.toLowerCase();
  let nearest: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    // The difference in length is a lower bound of the edit distance.
    if (Math.abs(name.length - word.length) >= bestDistance) continue;
    const distance = editDistance(typed, name.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      nearest = name;
    }
  }
  return nearest;
}

/**
 * Returns the number of edits that change `from` into `to`. An edit inserts, deletes or replaces a character,
 * or swaps two adjacent characters (optimal string alignment distance).
 */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replace = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swap = swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(replace, swap, at(last, column) + 1, at(current, column - 1) + 1));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
