import { Failure } from '../core/errors.ts';
import { MAX_SIGNED_NESTING } from './limits.ts';

/**
 * The one text of a JSON value, whatever the order of its fields and its white space were (RFC 8785); `file` is
 * what errors call it.
 * @throws Failure `signature.impossible` for what has no such text: half a character, a number beyond all bounds.
 */
export function canonicalJson(value: unknown, file: string): string {
  return textOf(value, { file, path: '', depth: 0 });
}

/** Where in the value it is. */
type Place = { readonly file: string; readonly path: string; readonly depth: number };

function textOf(value: unknown, place: Place): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return stringText(value, place);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw impossible(place, 'is a number that is too large');
  }
  if (typeof value !== 'object') throw impossible(place, 'is nothing that JSON has');
  if (place.depth === MAX_SIGNED_NESTING) throw impossible(place, 'is nested too deeply');
  return Array.isArray(value) ? listText(value, place) : objectText(value, place);
}

function stringText(value: string, place: Place): string {
  if (value.isWellFormed()) return JSON.stringify(value);
  throw impossible(place, 'has half a character in it (a lone surrogate)');
}

function listText(list: readonly unknown[], place: Place): string {
  const items = list.map((item, index) => textOf(item, within(place, `[${index}]`)));
  return `[${items.join(',')}]`;
}

/** Names are sorted by their UTF-16 units, which is how strings compare. */
function objectText(value: object, place: Place): string {
  const fields: [string, unknown][] = Object.entries(value);
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  const texts = fields.map(([name, field]) => {
    const inner = within(place, place.path === '' ? name : `.${name}`);
    return `${stringText(name, inner)}:${textOf(field, inner)}`;
  });
  return `{${texts.join(',')}}`;
}

function within({ file, path, depth }: Place, step: string): Place {
  return { file, path: path + step, depth: depth + 1 };
}

function impossible({ file, path }: Place, complaint: string): Failure {
  const where = path === '' ? 'The manifest as a whole' : path.toWellFormed();
  return new Failure('signature.impossible', `${where} ${complaint}, so it cannot be signed (in ${file}).`);
}
