import { refuse } from '../diagnostics.ts';
import type { Token } from './token.ts';

export function isBlank(character: string): boolean {
  return character !== '' && character.trim() === '';
}

/** Returns the end offset of the blanks and comments that start at `from`. */
export function endOfBlanks(text: string, from: number, blank: (character: string) => boolean): number {
  let at = from;
  for (;;) {
    while (blank(text.charAt(at))) at += 1;
    if (!text.startsWith('/*', at)) return at;
    const close = text.indexOf('*/', at + 2);
    if (close < 0) refuse({ start: at, end: at + 2 }, 'this comment is not closed', { expected: '*/' });
    at = close + 2;
  }
}

/**
 * Scans the source after FROM. A source begins with `/` and ends at the next blank. `/*` is therefore a
 * source and not the start of a comment. Returns undefined if the text does not begin with `/`.
 */
export function scanSource(text: string, from: number): Token | undefined {
  let start = from;
  while (isBlank(text.charAt(start))) start += 1;
  if (text.charAt(start) !== '/') return undefined;
  let end = start;
  while (end < text.length && !isBlank(text.charAt(end))) end += 1;
  return { kind: 'source', path: text.slice(start, end), start, end };
}
