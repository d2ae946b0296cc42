import { refuse } from '../diagnostics.ts';
import type { Token } from './token.ts';

/**
 * Pattern of the end of a name: a blank, the bracket of a filter, the start of a comment, or the end of the
 * text.
 */
const ENDS = /[\s(/]|$/;

/** Pattern of upstream names in a manifest. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Scans the name in `$upstream/name`. `start` is the offset of the `/`. Returns undefined if there is no `/`
 * at `start`, or if the `/` begins a comment.
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
