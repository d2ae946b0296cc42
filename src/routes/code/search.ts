/**
 * Maximum pattern length in UTF-16 units for which `indexOf` is used. Up to this length, the time of
 * `indexOf` is linear in the length of the text. For longer patterns, the worst-case time grows with the
 * product of both lengths. A hostile body could then block the hub for seconds (V8 13: 1.1 s for a pattern of
 * 4,096 units in 1 MB).
 */
const MAX_PLAIN = 250;

/**
 * Returns the position of the first occurrence of `part` in `text`, or -1. The time is linear in the lengths
 * of `text` and `part`.
 */
export function positionOf(text: string, part: string): number {
  return part.length <= MAX_PLAIN ? text.indexOf(part) : linearPositionOf(text, part);
}

/**
 * Searches with the algorithm of Knuth, Morris and Pratt. After a mismatch, the search continues with the
 * longest prefix of `part` that still matches.
 */
function linearPositionOf(text: string, part: string): number {
  const borders = bordersOf(part);
  let matched = 0;
  for (let at = 0; at < text.length; at += 1) {
    matched = advance(part, borders, matched, text.charCodeAt(at));
    if (matched === part.length) return at - matched + 1;
  }
  return -1;
}

/**
 * Returns the failure function of Knuth, Morris and Pratt: for each prefix, the length of its longest proper
 * border (a shorter prefix that is also a suffix).
 */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  let matched = 0;
  for (let at = 1; at < part.length; at += 1) {
    matched = advance(part, borders, matched, part.charCodeAt(at));
    borders[at] = matched;
  }
  return borders;
}

function advance(part: string, borders: Int32Array, matched: number, unit: number): number {
  let length = matched;
  while (length > 0 && part.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
  return part.charCodeAt(length) === unit ? length + 1 : length;
}
