import { refuse } from '../diagnostics.ts';
import type { Token } from './token.ts';

export function isBlank(character: string): boolean {
  return character !== '' && character.trim() === '';
}

/** Where what stands at or after `from` begins, behind blanks and comments. */
export function endOfBlanks(text: string, from: number, blank: (character: string) => boolean): number {
  let at = from;
  for (;;) {
    while (blank(text.charAt(at))) at += 1;
    if (!text.startsWith('/*', at)) return at;
    const close = text.indexOf('*/', at + 2);
    if (close < 0) refuse({ start: at, end: at + 2 }, 'this comment has no end', { expected: '*/' });
    at = close + 2;
  }
}

/**
 * The source at or after `from`: behind FROM a `/` always begins one, and it runs to the next blank, so that
 * `/*` is a source there and a comment everywhere else. Undefined if no `/` stands there.
 */
export function scanSource(text: string, from: number): Token | undefined {
  let start = from;
  while (isBlank(text.charAt(start))) start += 1;
  if (text.charAt(start) !== '/') return undefined;
  let end = start;
  while (end < text.length && !isBlank(text.charAt(end))) end += 1;
  return { kind: 'source', path: text.slice(start, end), start, end };
}
