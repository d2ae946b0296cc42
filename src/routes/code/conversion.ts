import type { Type } from '../types/types.ts';
import type { Form, Part } from './semantics.ts';
import type { Writer } from './writer.ts';

/**
 * Generates code that converts the value of `part` to the JavaScript type `form`. If the value has another
 * type, the result is undefined, or NaN for the form `number`.
 */
export function as(form: Form, part: Part, writer: Writer): string {
  const { type, code } = part;
  if (type === form) return code;
  if (type === 'dynamic') return narrowed(form, code, writer);
  if (form === 'dynamic') return widened(type, code, writer);
  return form === 'number' ? 'NaN' : 'undefined';
}

function narrowed(form: Form, code: string, writer: Writer): string {
  const value = writer.temporary();
  const other = form === 'number' ? 'NaN' : 'undefined';
  return `(typeof (${value} = ${code}) === '${form}' ? ${value} : ${other})`;
}

function widened(type: Type, code: string, writer: Writer): string {
  if (type !== 'number') return code;
  const value = writer.temporary();
  return `((${value} = ${code}) === ${value} ? ${value} : undefined)`;
}
