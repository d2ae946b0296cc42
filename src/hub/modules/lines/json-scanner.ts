/*
 * Scanner of JSON (RFC 8259) that finds values without decoding them. The digits of numbers, the order of
 * members and duplicate names therefore stay unchanged. The scanner is not recursive, so deep nesting cannot
 * overflow the stack. The scanner does not check that strings are UTF-8.
 */

/**
 * Span of a value's bytes from `start` up to `end`, without the byte at `end`. The span of a string includes
 * its quotes.
 */
export type Span = { readonly start: number; readonly end: number };

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const LOWER_E = 0x65;
const LOWER_U = 0x75;

/**
 * Difference between the character codes of `{` and `}`. The codes of `[` and `]` differ by the same number.
 */
const TO_CLOSER = 2;

const MALFORMED = -1;

const LITERALS: ReadonlyMap<number | undefined, Buffer> = new Map(
  ['true', 'false', 'null'].map(text => [text.charCodeAt(0), Buffer.from(text)]),
);

/** Characters that are valid after a backslash, except `u`. */
const ESCAPED: ReadonlySet<number | undefined> = new Set(Buffer.from('"\\/bfnrt'));

/** True if `bytes` are one JSON value with optional whitespace around it. */
export function isJson(bytes: Buffer): boolean {
  const end = endOfValue(bytes, skipBlanks(bytes, 0));
  return end !== MALFORMED && skipBlanks(bytes, end) === bytes.length;
}

/**
 * Calls `visit` with each member of the JSON object in `bytes`. Whitespace around the object is permitted.
 * Returns false if `bytes` are not one JSON object. The members before the error have then already been
 * visited.
 */
export function visitMembers(bytes: Buffer, visit: (name: Span, value: Span) => void): boolean {
  let at = skipBlanks(bytes, 0);
  if (bytes[at] !== OPEN_BRACE) return false;
  at = skipBlanks(bytes, at + 1);
  for (let first = true; !(first && bytes[at] === CLOSE_BRACE); first = false) {
    const nameEnd = endOfString(bytes, at);
    const start = behindColon(bytes, nameEnd);
    const end = start === MALFORMED ? MALFORMED : endOfValue(bytes, start);
    if (end === MALFORMED) return false;
    visit({ start: at, end: nameEnd }, { start, end });
    at = skipBlanks(bytes, end);
    if (bytes[at] === CLOSE_BRACE) break;
    if (bytes[at] !== COMMA) return false;
    at = skipBlanks(bytes, at + 1);
  }
  return skipBlanks(bytes, at + 1) === bytes.length;
}

/**
 * Returns the offset of the first byte after the value that begins at `start`. Returns MALFORMED if there is
 * no valid value.
 */
function endOfValue(bytes: Buffer, start: number): number {
  const closers: number[] = [];
  let at = start;
  for (;;) {
    const opener = bytes[at];
    if (opener === OPEN_BRACE || opener === OPEN_BRACKET) {
      at = skipBlanks(bytes, at + 1);
      if (bytes[at] !== opener + TO_CLOSER) {
        closers.push(opener + TO_CLOSER);
        if (opener === OPEN_BRACE) at = behindName(bytes, at);
        if (at === MALFORMED) return MALFORMED;
        continue;
      }
      at += 1;
    } else at = endOfScalar(bytes, at);
    if (at === MALFORMED) return MALFORMED;
    // A value ends at this offset. The loop closes all objects and arrays that end directly after the value.
    let closer = closers.at(-1);
    for (; closer !== undefined; closer = closers.at(-1)) {
      at = skipBlanks(bytes, at);
      if (bytes[at] !== closer) break;
      at += 1;
      closers.pop();
    }
    if (closer === undefined) return at;
    if (bytes[at] !== COMMA) return MALFORMED;
    at = skipBlanks(bytes, at + 1);
    if (closer === CLOSE_BRACE) at = behindName(bytes, at);
    if (at === MALFORMED) return MALFORMED;
  }
}

/** Returns the offset of a member's value. The member's name begins at `at`. */
function behindName(bytes: Buffer, at: number): number {
  return behindColon(bytes, endOfString(bytes, at));
}

function behindColon(bytes: Buffer, nameEnd: number): number {
  if (nameEnd === MALFORMED) return MALFORMED;
  const at = skipBlanks(bytes, nameEnd);
  return bytes[at] === COLON ? skipBlanks(bytes, at + 1) : MALFORMED;
}

function endOfScalar(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return endOfString(bytes, at);
  const literal = LITERALS.get(first);
  if (literal === undefined) return endOfNumber(bytes, at);
  const end = at + literal.length;
  return bytes.compare(literal, 0, literal.length, at, Math.min(end, bytes.length)) === 0 ? end : MALFORMED;
}

function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) return MALFORMED;
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return MALFORMED;
    if (byte !== BACKSLASH) continue;
    at += 1;
    if (ESCAPED.has(bytes[at])) continue;
    if (bytes[at] !== LOWER_U) return MALFORMED;
    for (let digits = 0; digits < 4; digits += 1) {
      at += 1;
      if (!isHexDigit(bytes[at])) return MALFORMED;
    }
  }
  return MALFORMED;
}

function endOfNumber(bytes: Buffer, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const integer = at;
  at = behindDigits(bytes, at);
  if (at === integer || (bytes[integer] === ZERO && at > integer + 1)) return MALFORMED;
  if (bytes[at] === POINT) {
    const fraction = at + 1;
    at = behindDigits(bytes, fraction);
    if (at === fraction) return MALFORMED;
  }
  if (((bytes[at] ?? 0) | 0x20) !== LOWER_E) return at;
  at += bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? 2 : 1;
  const end = behindDigits(bytes, at);
  return end === at ? MALFORMED : end;
}

function behindDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  return at;
}

/** Returns the offset of the first byte from `start` on that is not JSON whitespace. */
function skipBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

function isDigit(byte = 0): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isHexDigit(byte = 0): boolean {
  const lower = byte | 0x20;
  return isDigit(byte) || (lower >= 0x61 && lower <= 0x66);
}
