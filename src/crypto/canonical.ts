import { Failure } from '../core/errors.ts';
import { MAX_SIGNED_NESTING } from './limits.ts';

/**
 * Serializes a JSON value in canonical form (RFC 8785), so that the text does not depend on the order of
 * fields or on white space. Errors contain the name `file`.
 * @throws Failure `signature.impossible` for an unpaired surrogate, a number that is too large, or nesting
 * that is too deep
 */
export function canonicalJson(value: unknown, file: string): string {
  return textOf(value, { file, path: '', depth: 0 });
}

/** Position of a value, for errors. */
type JsonPosition = { readonly file: string; readonly path: string; readonly depth: number };

function textOf(value: unknown, position: JsonPosition): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return stringText(value, position);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw impossible(position, 'is a number that is too large');
  }
  if (typeof value !== 'object') throw impossible(position, 'is not a JSON value');
  if (position.depth === MAX_SIGNED_NESTING) throw impossible(position, 'is nested too deeply');
  return Array.isArray(value) ? listText(value, position) : objectText(value, position);
}

function stringText(value: string, position: JsonPosition): string {
  if (value.isWellFormed()) return JSON.stringify(value);
  throw impossible(position, 'contains a lone surrogate (half a character)');
}

function listText(list: readonly unknown[], position: JsonPosition): string {
  const items = list.map((item, index) => textOf(item, within(position, `[${index}]`)));
  return `[${items.join(',')}]`;
}

/**
 * Serializes an object. The names of its fields are sorted by UTF-16 units, as JavaScript compares strings.
 */
function objectText(value: object, position: JsonPosition): string {
  const fields: [string, unknown][] = Object.entries(value);
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  const texts = fields.map(([name, field]) => {
    const inner = within(position, position.path === '' ? name : `.${name}`);
    return `${stringText(name, inner)}:${textOf(field, inner)}`;
  });
  return `{${texts.join(',')}}`;
}

function within({ file, path, depth }: JsonPosition, step: string): JsonPosition {
  return { file, path: path + step, depth: depth + 1 };
}

function impossible({ file, path }: JsonPosition, complaint: string): Failure {
  const where = path === '' ? 'The manifest as a whole' : path.toWellFormed();
  return new Failure('signature.impossible', `${where} ${complaint}, so it cannot be signed (in ${file}).`);
}
