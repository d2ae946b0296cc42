import { refuse } from '../../diagnostics.ts';
import type { Sink, Source, TextSpan } from '../../tree.ts';
import { topicProblem } from '../filter.ts';
import { isKeyword, LITERALS } from '../reserved.ts';
import type { Token } from '../token.ts';
import { scanAzureToken } from './lexer.ts';

const ADDRESS = '/modules/<module>/inputs/<input>';
const ADDRESS_PARTS = 4;

/**
 * Parses a source. Drops trailing `*` and then trailing `/`. Any other `*` is a literal character, so that
 * the source never matches.
 */
export function azureSource(token: Token & { readonly kind: 'source' }): Source {
  const stars = endWithout(token.path, '*');
  const path = stars.slice(0, Math.max(1, endWithout(stars, '/').length));
  const segments = path === '/' ? [] : path.slice(1).split('/');
  let start = token.start + 1;
  for (const segment of segments) {
    if (!isItem(segment)) {
      const span = { start, end: start + Math.max(1, segment.length) };
      refuse(span, `${segment === '' ? 'an empty segment' : segment} is not allowed in a source`);
    }
    start += segment.length + 1;
  }
  return { kind: 'path', segments };
}

/** Returns true if a segment is a name or `*`. Numbers and keywords are not names. */
function isItem(segment: string): boolean {
  if (segment === '') return false;
  if (segment === '*') return true;
  const token = scanned(segment);
  if (token?.kind !== 'word' || token.start > 0 || token.end < segment.length) return false;
  return !isKeyword(token.word) && !LITERALS.has(token.word);
}

function scanned(segment: string): Token | undefined {
  for (const character of segment) if ('()<>@,;:\\"[]?={}'.includes(character)) return undefined;
  return scanAzureToken(segment, 0);
}

function endWithout(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === character) end -= 1;
  return text.slice(0, end);
}

/**
 * Parses `BrokeredEndpoint("address")`. Like Azure IoT Edge, uses only the second part (module) and the
 * fourth part (input) of the address.
 */
export function azureInput(quoted: string, span: TextSpan): Sink {
  const trimmed = quoted.slice(1, -1).trim();
  const from = trimmed.startsWith('/') ? 1 : 0;
  const to = trimmed.endsWith('/') ? trimmed.length - 1 : trimmed.length;
  const parts = trimmed.slice(from, to).split('/');
  const [, module, , input] = parts;
  if (parts.length !== ADDRESS_PARTS || !module || !input) {
    return refuse(span, 'this is not the address of an input', { expected: ADDRESS });
  }
  const problem = topicProblem(`${module}/${input}`);
  if (problem !== undefined) return refuse(span, `the name of a module or an input ${problem}`);
  return { kind: 'input', module, input };
}
