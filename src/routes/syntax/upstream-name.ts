import { refuse } from '../diagnostics.ts';
import type { Token } from './token.ts';

/** Characters that end a name: blanks, the bracket of a filter, and the start of a comment. */
const ENDS = /[\s(/]|$/;

/** Pattern of upstream names in a manifest. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Scans the name in `$upstream/name`, whose `/` is at `start`. Undefined if there is no `/`, or a comment
 * follows.
 */
export function scanUpstreamName(
  text: string,
  start: number,
): (Token & { readonly kind: 'word' }) | undefined {
  if (text.charAt(start) !== '/' || text.charAt(start + 1) === '*') return undefined;
  const rest = text.slice(start + 1);
  const word = rest.slice(0, rest.search(ENDS));
  const end = start + 1 + word.length;
  if (!NAME.test(word)) {
    const expected = '$upstream/<name>, with a name of letters, digits, "_" or "-"';
    refuse({ start, end }, 'this is not the name of an upstream', { expected });
  }
  return { kind: 'word', word, start, end };
}
