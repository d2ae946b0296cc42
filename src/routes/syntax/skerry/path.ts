import { refuse } from '../../diagnostics.ts';
import type { PathStep, TextSpan } from '../../tree.ts';
import { endOfDigits } from '../digits.ts';
import { endOfName, isNameCharacter } from './characters.ts';
import { scanString } from './strings.ts';

/**
 * Scans the path after `$body`: `.key`, `[0]` and `["key"]` without blanks. `$body` begins at `start` and
 * ends at `wordEnd`. A key after a dot ends at the next dot or at a character that names cannot contain.
 */
export function scanPath(
  text: string,
  start: number,
  wordEnd: number,
): TextSpan & { readonly path: readonly PathStep[] } {
  const path: PathStep[] = [];
  let end = wordEnd;
  for (;;) {
    const next = text.charAt(end);
    if (next !== '.' && next !== '[') return { path, start, end };
    const step = next === '.' ? scanKey(text, end) : scanBracket(text, end);
    path.push(step.value);
    end = step.end;
  }
}

type Scanned = { readonly value: PathStep; readonly end: number };

function scanKey(text: string, dot: number): Scanned {
  let end = dot + 1;
  while (isNameCharacter(text.charAt(end)) && text.charAt(end) !== '.') end += 1;
  if (end === dot + 1) {
    refuse({ start: dot, end }, 'no key follows this dot', {
      expected: 'a key; one with other characters is written ["key"]',
    });
  }
  return { value: text.slice(dot + 1, end), end };
}

function scanBracket(text: string, bracket: number): Scanned {
  const first = text.charAt(bracket + 1);
  const quoted = first === '"' || first === "'";
  const step = quoted ? scanString(text, bracket + 1) : scanIndex(text, bracket);
  if (text.charAt(step.end) !== ']') {
    refuse({ start: bracket, end: step.end }, 'unclosed bracket', { expected: ']' });
  }
  return { value: step.value, end: step.end + 1 };
}

function scanIndex(text: string, bracket: number): Scanned {
  const end = endOfDigits(text, bracket + 1);
  const value = Number(text.slice(bracket + 1, end));
  if (end === bracket + 1 || !Number.isSafeInteger(value)) {
    const span = { start: bracket, end: Math.max(end, endOfName(text, bracket + 1)) };
    refuse(span, 'brackets must contain an index or a quoted key', { expected: '[0] or ["key"]' });
  }
  return { value, end };
}
