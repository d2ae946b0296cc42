import { MAX_MANIFEST_DEPTH } from '../../core/limits.ts';
import { isExactNumber } from './exact-number.ts';

/**
 * Error in a JSON text, with the offset or the field path of the error. `problem` contains field names and no
 * other text of the file, because values can be secrets.
 */
export type JsonError = { readonly problem: string } & (
  | { readonly kind: 'syntax' | 'depth'; readonly offset: number }
  | { readonly kind: 'name'; readonly path: readonly (string | number)[] }
);

/** Open object or array at the current offset. `at` is the current field name or array index. */
type Frame = {
  /** Names of the fields that were read so far. Undefined for an array. */
  readonly names: Set<string> | undefined;
  at: string | number;
};

/** Token that is expected next. `rest` is a comma or the end of the object or array. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | 'rest' | 'end';

type Scan = { readonly text: string; offset: number; expected: Expected; readonly open: Frame[] };

const BLANKS = /[ \t\n\r]*/y;

/** Pattern of a JSON string, without the closing quote. */
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*/y;

/** Pattern of a JSON number, `true`, `false` or `null`. */
const LITERAL = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/** Names that all JavaScript objects have. valibot silently drops fields with these names. */
export const RESERVED_NAMES = ['__proto__', 'prototype', 'constructor'];

/**
 * Returns the first error in a JSON text. Returns undefined if JSON.parse accepts the text without loss.
 * JSON.parse alone is not sufficient: it reports some errors without a position, quotes the text in errors,
 * and silently drops duplicate fields except the last.
 */
export function findJsonError(text: string): JsonError | undefined {
  const scan: Scan = { text, offset: 0, expected: 'value', open: [] };
  for (;;) {
    scan.offset += matchAt(BLANKS, text, scan.offset) ?? 0;
    if (scan.offset === text.length) {
      return scan.expected === 'end' ? undefined : syntax(scan, 'unexpected end');
    }
    const jsonError = step(scan, text[scan.offset] ?? '');
    if (jsonError !== undefined) return jsonError;
  }
}

/** Checks one token and moves the offset to the end of the token. */
function step(scan: Scan, next: string): JsonError | undefined {
  switch (scan.expected) {
    case 'name':
    case 'name or }':
      return next === '}' && scan.expected === 'name or }' ? close(scan) : checkName(scan, next);
    case ':':
      return next === ':' ? advance(scan, 'value') : syntax(scan, 'a ":" is expected');
    case 'value':
    case 'value or ]':
      return next === ']' && scan.expected === 'value or ]' ? close(scan) : checkValue(scan, next);
    case 'rest':
      return checkRest(scan, next);
    case 'end':
      return syntax(scan, 'unexpected text after the end');
  }
}

function checkValue(scan: Scan, next: string): JsonError | undefined {
  if (next === '{' || next === '[') return open(scan, next);
  const length = next === '"' ? undefined : matchAt(LITERAL, scan.text, scan.offset);
  if (length !== undefined) {
    if (!isExactNumber(scan.text.slice(scan.offset, scan.offset + length)))
      return named(
        scan,
        'has more digits than a number can represent: write it as a string, in double quotes',
      );
    scan.offset += length;
  } else if (next === '"') {
    const end = endOfString(scan);
    if (typeof end !== 'number') return end;
    scan.offset = end;
  } else return syntax(scan, valueHint(scan, next));
  scan.expected = scan.open.length === 0 ? 'end' : 'rest';
  return undefined;
}

function checkName(scan: Scan, next: string): JsonError | undefined {
  if (next !== '"') return syntax(scan, nameHint(scan, next));
  const end = endOfString(scan);
  if (typeof end !== 'number') return end;
  const name = String(JSON.parse(scan.text.slice(scan.offset, end)));
  const frame = scan.open.at(-1);
  if (frame === undefined) return syntax(scan, 'a value is expected');
  frame.at = name;
  if (RESERVED_NAMES.includes(name)) return named(scan, 'is a reserved name');
  if (frame.names?.has(name)) return named(scan, 'is duplicated');
  frame.names?.add(name);
  scan.offset = end;
  scan.expected = ':';
  return undefined;
}

/** Checks the token after a value in an object or array: a comma or the closing bracket. */
function checkRest(scan: Scan, next: string): JsonError | undefined {
  const frame = scan.open.at(-1);
  const isList = typeof frame?.at === 'number';
  const end = isList ? ']' : '}';
  if (next === end) return close(scan);
  if (next !== ',') return syntax(scan, hint(next) ?? `a "," or "${end}" is expected`);
  if (frame !== undefined && typeof frame.at === 'number') frame.at += 1;
  return advance(scan, isList ? 'value' : 'name');
}

function open(scan: Scan, bracket: '{' | '['): JsonError | undefined {
  if (scan.open.length >= MAX_MANIFEST_DEPTH) {
    const problem = `${MAX_MANIFEST_DEPTH} levels are the maximum`;
    return { kind: 'depth', problem, offset: scan.offset };
  }
  scan.open.push(bracket === '{' ? { names: new Set(), at: '' } : { names: undefined, at: 0 });
  return advance(scan, bracket === '{' ? 'name or }' : 'value or ]');
}

function close(scan: Scan): undefined {
  scan.open.pop();
  return advance(scan, scan.open.length === 0 ? 'end' : 'rest');
}

function advance(scan: Scan, expected: Expected): undefined {
  scan.offset += 1;
  scan.expected = expected;
}

/** Returns the end offset of the string that starts at the current offset, or the error in this string. */
function endOfString(scan: Scan): number | JsonError {
  const end = scan.offset + (matchAt(STRING, scan.text, scan.offset) ?? 0);
  const next = scan.text[end];
  if (next === '"') return end + 1;
  if (next === undefined || next === '\n' || next === '\r') return syntax(scan, 'unterminated string');
  const problem = next === '\\' ? 'invalid escape sequence' : 'control character';
  return { ...syntax(scan, `${problem} in a string`), kind: 'syntax', offset: end };
}

function valueHint(scan: Scan, next: string): string {
  if (next === '\ufeff') return 'the file begins with a byte order mark: save it without one';
  if ((next === ']' || next === '}') && scan.expected === 'value' && scan.open.length > 0) {
    return next === ']' ? 'trailing comma before "]"' : 'a value is missing before "}"';
  }
  return hint(next) ?? 'a value is expected; strings need double quotes';
}

function nameHint(scan: Scan, next: string): string {
  if (next === '}' && scan.expected === 'name') return 'trailing comma before "}"';
  return hint(next) ?? 'the name of a field is expected, in double quotes';
}

function hint(next: string): string | undefined {
  if (next === '/' || next === '#') return 'comments are not allowed';
  return next === "'" ? 'strings need double quotes, not single quotes' : undefined;
}

function syntax({ offset }: Scan, problem: string): JsonError {
  return { kind: 'syntax', problem, offset };
}

function named({ open: frames }: Scan, problem: string): JsonError {
  return { kind: 'name', problem, path: frames.map(({ at }) => at) };
}

/**
 * Returns the number of characters that `pattern` matches at `offset`. Returns undefined if the pattern does
 * not match.
 */
function matchAt(pattern: RegExp, text: string, offset: number): number | undefined {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex - offset : undefined;
}
