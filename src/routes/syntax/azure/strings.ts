import { endOfHexDigits } from '../digits.ts';

const ESCAPED = `"'\\`;
const UNICODE_DIGITS = 4;

/**
 * Returns the end offset of the string at `start`. Returns undefined if the string is unterminated or has an
 * invalid escape.
 */
export function endOfQuoted(text: string, start: number): number | undefined {
  const quote = text.charAt(start);
  let at = start + 1;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === quote) return at + 1;
    if (character !== '\\') at += 1;
    else if (ESCAPED.includes(text.charAt(at + 1)) && at + 1 < text.length) at += 2;
    else if (isUnicode(text, at) && text.charAt(at + 1) === 'u') at += 2 + UNICODE_DIGITS;
    else return undefined;
  }
  return undefined;
}

/**
 * Unescapes a string in two passes as Azure IoT Edge does: first `\uXXXX`, then `\"`, `\'` and `\\`. As a
 * result `\\u0041` becomes `\A`, not `\u0041`.
 */
export function unescaped(text: string): string {
  let once = '';
  for (let at = 0; at < text.length; ) {
    const unicode = isUnicode(text, at);
    const digits = text.slice(at + 2, at + 2 + UNICODE_DIGITS);
    once += unicode ? String.fromCharCode(Number.parseInt(digits, 16)) : text.charAt(at);
    at += unicode ? 2 + UNICODE_DIGITS : 1;
  }
  let twice = '';
  for (let at = 0; at < once.length; at += 1) {
    const next = once.charAt(at + 1);
    if (once.charAt(at) === '\\' && next !== '' && ESCAPED.includes(next)) at += 1;
    twice += once.charAt(at);
  }
  return twice;
}

function isUnicode(text: string, at: number): boolean {
  if (text.charAt(at) !== '\\' || text.charAt(at + 1).toLowerCase() !== 'u') return false;
  return endOfHexDigits(text.slice(at + 2, at + 2 + UNICODE_DIGITS), 0) === UNICODE_DIGITS;
}
