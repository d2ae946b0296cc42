import { BACKSLASH, QUOTE } from './json-scanner.ts';

const LOWER_U = 0x75;
const HEX_DIGITS = 4;

/**
 * Decoded byte of each escape sequence with one letter, such as `\n`. The key is the character code of the
 * letter.
 */
const UNESCAPED: ReadonlyMap<number, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map(pair => [
    pair.charCodeAt(0),
    pair.charCodeAt(1),
  ]),
);

/** Escape sequence of each byte that must be escaped in a JSON string, indexed by the byte. */
const ESCAPES: readonly (Buffer | undefined)[] = Array.from({ length: 0x100 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH
    ? Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
    : undefined,
);

/**
 * Decodes a well-formed JSON string with its quotes. Bytes that are not valid UTF-8 stay unchanged. A lone
 * surrogate becomes U+FFFD, because it has no UTF-8 form.
 */
export function unquote(token: Buffer): Buffer {
  const inner = token.subarray(1, -1);
  if (!inner.includes(BACKSLASH)) return inner;
  // The decoded text is never longer than the encoded text, because each escape sequence is at least as long
  // as its decoded bytes.
  const bytes = Buffer.allocUnsafe(inner.length);
  let length = 0;
  for (let at = 0; at < inner.length; at += 1) {
    const byte = inner[at] ?? 0;
    if (byte !== BACKSLASH) {
      bytes[length++] = byte;
      continue;
    }
    at += 1;
    const letter = inner[at] ?? 0;
    if (letter !== LOWER_U) {
      bytes[length++] = UNESCAPED.get(letter) ?? letter;
      continue;
    }
    const unit = unitAt(inner, at + 1);
    at += HEX_DIGITS;
    const low =
      isHigh(unit) && inner[at + 1] === BACKSLASH && inner[at + 2] === LOWER_U ? unitAt(inner, at + 3) : 0;
    const isPair = low >= 0xdc00 && low <= 0xdfff;
    if (isPair) at += 2 + HEX_DIGITS;
    length += bytes.write(isPair ? String.fromCharCode(unit, low) : String.fromCharCode(unit), length);
  }
  return bytes.subarray(0, length);
}

/** Encodes `bytes` as a JSON string with quotes. Bytes that are not valid UTF-8 stay unchanged. */
export function quote(bytes: Buffer): Buffer {
  let length = 2;
  for (let at = 0; at < bytes.length; at += 1) length += ESCAPES[bytes[at] ?? 0]?.length ?? 1;
  const token = Buffer.allocUnsafe(length);
  let end = 0;
  token[end++] = QUOTE;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    const escaped = ESCAPES[byte];
    if (escaped === undefined) token[end++] = byte;
    else end += escaped.copy(token, end);
  }
  token[end] = QUOTE;
  return token;
}

function unitAt(bytes: Buffer, at: number): number {
  return Number.parseInt(bytes.toString('latin1', at, at + HEX_DIGITS), 16);
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
