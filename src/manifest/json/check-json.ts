import { MAX_MANIFEST_DEPTH } from '../../core/limits.ts';
import { isKept } from './exact-number.ts';

/** Why a text is not taken: at a place of it, or for a field. It shows nothing of the text but names of fields. */
export type Trouble = { readonly complaint: string } & (
  | { readonly kind: 'syntax' | 'depth'; readonly offset: number }
  | { readonly kind: 'name'; readonly path: readonly (string | number)[] }
);

/** An object or list that is open: the names that an object has so far, and where in it the scan is. */
type Frame = { readonly names: Set<string> | undefined; at: string | number };

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | 'rest' | 'end';

type Scan = { readonly text: string; offset: number; expected: Expected; readonly open: Frame[] };

const BLANKS = /[ \t\n\r]*/y;
/** All of a string but the quote that ends it. */
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*/y;
const PLAIN = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/y;

/** Names that objects of JavaScript have already: valibot passes over them. */
export const UNUSABLE = ['__proto__', 'prototype', 'constructor'];

/**
 * Looks a text over before JSON.parse does: that tells no place for some mistakes and a piece of the text for others,
 * and keeps the last of two fields of one name. Undefined: JSON.parse takes it, and loses nothing.
 */
export function troubleIn(text: string): Trouble | undefined {
  const scan: Scan = { text, offset: 0, expected: 'value', open: [] };
  for (;;) {
    scan.offset += matchAt(BLANKS, text, scan.offset) ?? 0;
    if (scan.offset === text.length) {
      return scan.expected === 'end' ? undefined : syntax(scan, 'it ends too early');
    }
    const trouble = step(scan, text[scan.offset] ?? '');
    if (trouble !== undefined) return trouble;
  }
}

/** Takes one token. */
function step(scan: Scan, next: string): Trouble | undefined {
  switch (scan.expected) {
    case 'name':
    case 'name or }':
      return next === '}' && scan.expected === 'name or }' ? close(scan) : takeName(scan, next);
    case ':':
      return next === ':' ? advance(scan, 'value') : syntax(scan, 'a ":" is expected');
    case 'value':
    case 'value or ]':
      return next === ']' && scan.expected === 'value or ]' ? close(scan) : takeValue(scan, next);
    case 'rest':
      return takeRest(scan, next);
    case 'end':
      return syntax(scan, 'something follows its end');
  }
}

function takeValue(scan: Scan, next: string): Trouble | undefined {
  if (next === '{' || next === '[') return open(scan, next);
  const length = next === '"' ? undefined : matchAt(PLAIN, scan.text, scan.offset);
  if (length !== undefined) {
    if (!isKept(scan.text.slice(scan.offset, scan.offset + length)))
      return named(scan, 'has more digits than a number keeps: write it as a text, in double quotes');
    scan.offset += length;
  } else if (next === '"') {
    const end = endOfString(scan);
    if (typeof end !== 'number') return end;
    scan.offset = end;
  } else return syntax(scan, valueHint(scan, next));
  scan.expected = scan.open.length === 0 ? 'end' : 'rest';
  return undefined;
}

function takeName(scan: Scan, next: string): Trouble | undefined {
  if (next !== '"') return syntax(scan, nameHint(scan, next));
  const end = endOfString(scan);
  if (typeof end !== 'number') return end;
  const name = String(JSON.parse(scan.text.slice(scan.offset, end)));
  const frame = scan.open.at(-1);
  if (frame === undefined) return syntax(scan, 'a value is expected');
  frame.at = name;
  if (UNUSABLE.includes(name)) return named(scan, 'is a name that cannot be used');
  if (frame.names?.has(name)) return named(scan, 'is there twice');
  frame.names?.add(name);
  scan.offset = end;
  scan.expected = ':';
  return undefined;
}

/** What may follow a value in an object or list. */
function takeRest(scan: Scan, next: string): Trouble | undefined {
  const frame = scan.open.at(-1);
  const isList = typeof frame?.at === 'number';
  const end = isList ? ']' : '}';
  if (next === end) return close(scan);
  if (next !== ',') return syntax(scan, hint(next) ?? `a "," or "${end}" is expected`);
  if (frame !== undefined && typeof frame.at === 'number') frame.at += 1;
  return advance(scan, isList ? 'value' : 'name');
}

function open(scan: Scan, bracket: '{' | '['): Trouble | undefined {
  if (scan.open.length >= MAX_MANIFEST_DEPTH) {
    const complaint = `${MAX_MANIFEST_DEPTH} levels are the most`;
    return { kind: 'depth', complaint, offset: scan.offset };
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

/** Where the string that begins here is over. */
function endOfString(scan: Scan): number | Trouble {
  const end = scan.offset + (matchAt(STRING, scan.text, scan.offset) ?? 0);
  const next = scan.text[end];
  if (next === '"') return end + 1;
  if (next === undefined || next === '\n' || next === '\r') return syntax(scan, 'a text is not closed');
  const complaint = next === '\\' ? 'a "\\" that JSON does not know' : 'a control character';
  return { ...syntax(scan, `${complaint} stands in a text`), kind: 'syntax', offset: end };
}

function valueHint(scan: Scan, next: string): string {
  if (next === '\ufeff') return 'it begins with a byte order mark, and must be saved without one';
  if ((next === ']' || next === '}') && scan.expected === 'value' && scan.open.length > 0) {
    return next === ']' ? 'a comma before "]" is one too many' : 'a value is missing before "}"';
  }
  return hint(next) ?? 'a value is expected, and a text stands in double quotes';
}

function nameHint(scan: Scan, next: string): string {
  if (next === '}' && scan.expected === 'name') return 'a comma before "}" is one too many';
  return hint(next) ?? 'the name of a field is expected, in double quotes';
}

function hint(next: string): string | undefined {
  if (next === '/' || next === '#') return 'it cannot hold comments';
  return next === "'" ? 'a text stands in double quotes, not in single ones' : undefined;
}

function syntax({ offset }: Scan, complaint: string): Trouble {
  return { kind: 'syntax', complaint, offset };
}

function named({ open: frames }: Scan, complaint: string): Trouble {
  return { kind: 'name', complaint, path: frames.map(({ at }) => at) };
}

/** How many characters `pattern` takes from there on; undefined: it does not match. */
function matchAt(pattern: RegExp, text: string, offset: number): number | undefined {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex - offset : undefined;
}
