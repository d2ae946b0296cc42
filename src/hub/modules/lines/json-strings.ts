import { BACKSLASH, QUOTE } from './json-scanner.ts';

const LOWER_U = 0x75;
const HEX_DIGITS = 4;

/** Bytes of the one-letter escapes, by letter. */
const UNESCAPED: ReadonlyMap<number, number> = new Map(
  ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map(pair => [
    pair.charCodeAt(0),
    pair.charCodeAt(1),
  ]),
);

/** Escapes of the bytes that must not occur in a JSON string, by byte. */
const ESCAPES: readonly (Buffer | undefined)[] = Array.from({ length: 0x100 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH
    ? Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1))
    : undefined,
);

/**
 * Decodes the well-formed JSON string `token`, which includes its quotes. Bytes that are not UTF-8 stay
 * unchanged. Half of a surrogate pair, which has no UTF-8 form, becomes U+FFFD.
 */
export function unquote(token: Buffer): Buffer {
  const inner = token.subarray(1, -1);
  if (!inner.includes(BACKSLASH)) return inner;
  // An escape is never shorter than its decoded bytes.
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

/** JSON string of `bytes`, with quotes. Bytes that are not UTF-8 stay unchanged. */
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
