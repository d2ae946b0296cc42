/**
 * Maximum pattern length in UTF-16 units for which `indexOf` takes time linear to the text. For longer
 * patterns the worst case is the product of both lengths, so a hostile body could block the hub for seconds
 * (measured with V8 13: 1.1 s for 4096 in 1 MB).
 */
const MAX_PLAIN = 250;

/** Finds the first occurrence of `part` in `text`, or -1, in time linear to both lengths. */
export function positionOf(text: string, part: string): number {
  return part.length <= MAX_PLAIN ? text.indexOf(part) : linearPositionOf(text, part);
}

/**
 * Knuth-Morris-Pratt search: after a mismatch it continues with the longest prefix of `part` that already
 * matches.
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

/** Failure function of Knuth-Morris-Pratt: for each prefix the length of its longest proper border. */
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
