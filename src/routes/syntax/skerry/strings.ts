import { refuse } from '../../diagnostics.ts';
import type { TextSpan } from '../../tree.ts';
import { isHexDigit } from '../digits.ts';

const ESCAPED = `"'\\`;
const UNICODE_DIGITS = 4;

/** Scans a string in single or double quotes, with the escapes `\"`, `\'`, `\\` and `\uXXXX`. */
export function scanString(text: string, start: number): TextSpan & { readonly value: string } {
  const quote = text.charAt(start);
  let value = '';
  let at = start + 1;
  for (;;) {
    const character = text.charAt(at);
    if (character === '') {
      refuse({ start, end: text.length }, 'unterminated string', { expected: quote });
    }
    if (character === quote) return { value, start, end: at + 1 };
    if (character === '\\') {
      const escaped = scanEscape(text, at);
      value += escaped.value;
      at = escaped.end;
    } else {
      value += character;
      at += 1;
    }
  }
}

function scanEscape(text: string, start: number): { readonly value: string; readonly end: number } {
  const escaped = text.charAt(start + 1);
  if (escaped !== '' && ESCAPED.includes(escaped)) return { value: escaped, end: start + 2 };
  const end = start + 2 + UNICODE_DIGITS;
  const digits = text.slice(start + 2, end);
  if (escaped === 'u' && digits.length === UNICODE_DIGITS && Array.from(digits).every(isHexDigit)) {
    return { value: String.fromCharCode(Number.parseInt(digits, 16)), end };
  }
  const expected = `\\", \\', \\\\ or \\u with ${UNICODE_DIGITS} hexadecimal digits`;
  return refuse({ start, end: Math.min(start + 2, text.length) }, `\\${escaped} is not an escape`, {
    expected,
  });
}
