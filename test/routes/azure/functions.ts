import type { Call } from '../../../src/routes/tree.ts';
import { azureNumber } from './numbers.ts';
import { bool, concat, number, numberOf, refuse, type Typed, text } from './values.ts';

const NUMERIC: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceiling: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  sign: Math.sign,
  sqrt: Math.sqrt,
  square: value => value * value,
};

export function call({ name }: Call, operands: readonly Typed[]): Typed {
  const counts: Readonly<Record<string, readonly number[]>> = {
    power: [2],
    substring: [2, 3],
    index_of: [2],
    contains: [2],
    starts_with: [2],
    ends_with: [2],
  };
  const [first, second, third] = operands;
  const fits = name === 'concat' ? operands.length >= 2 : (counts[name] ?? [1]).includes(operands.length);
  if (!fits || first === undefined) return refuse();
  if (name === 'concat') return concat(operands);
  if (name.startsWith('is_')) return test(name, first);
  if (name === 'as_number') return asNumber(first);
  const numeric = NUMERIC[name];
  if (numeric !== undefined || name === 'power') {
    const value = numberOf(first);
    if (numeric !== undefined) return number(value === undefined ? undefined : numeric(value));
    const exponent = numberOf(second);
    if (value === undefined || exponent === undefined) return number(undefined);
    const one = value === 1 || (value === -1 && !Number.isFinite(exponent));
    return number(one ? 1 : value ** exponent);
  }
  return textual(name, text(first), second, third);
}

function textual(name: string, whole: string | null | undefined, second?: Typed, third?: Typed): Typed {
  const string = (value: string | undefined): Typed => ({ type: 'string', value });
  const known = whole ?? undefined;
  switch (name) {
    case 'length':
      return number(known?.length);
    case 'lower':
      return string(known?.toLowerCase());
    case 'upper':
      return string(known?.toUpperCase());
    case 'substring':
      return string(cut(known, numberOf(second), third === undefined ? null : numberOf(third)));
    case 'index_of':
    case 'contains':
    case 'starts_with':
    case 'ends_with': {
      const part = text(second) ?? undefined;
      const defined = known !== undefined && part !== undefined;
      if (name === 'index_of') return number(defined ? known.indexOf(part) : undefined);
      if (!defined) return bool(undefined);
      if (name === 'contains') return bool(known.includes(part));
      return bool(name === 'starts_with' ? known.startsWith(part) : known.endsWith(part));
    }
    default:
      return refuse();
  }
}

function cut(
  whole: string | undefined,
  from: number | undefined,
  count: number | null | undefined,
): string | undefined {
  if (whole === undefined || from === undefined || from < 0 || from > whole.length) return undefined;
  if (count === null) return whole.slice(Math.trunc(from));
  if (count === undefined || from === whole.length || count < 0 || count > whole.length - from)
    return undefined;
  return whole.substr(Math.trunc(from), Math.trunc(count));
}

function asNumber(operand: Typed): Typed {
  if (operand.type === 'number') return operand;
  if (operand.type === 'string') return number(azureNumber(operand.value ?? ''));
  if (operand.type !== 'any') return refuse();
  if (operand.value?.kind === 'number') return number(operand.value.of);
  return number(operand.value?.kind === 'string' ? azureNumber(operand.value.of ?? '') : undefined);
}

function test(name: string, { type, value }: Typed): Typed {
  const dynamic = type === 'any';
  switch (name) {
    case 'is_defined':
      return bool(type === 'null' || value !== undefined);
    case 'is_null':
      if (!dynamic) return bool(type === 'null' || value === null);
      return bool(value === undefined ? undefined : !(value.kind === 'null' && value.missing));
    case 'is_bool':
      if (dynamic) return bool(value === undefined ? undefined : value.kind === 'boolean');
      return bool(type !== 'boolean' ? false : value === undefined ? undefined : true);
    case 'is_number':
      return bool(Number.isFinite(dynamic ? (value?.kind === 'number' ? value.of : undefined) : value));
    case 'is_string':
      if (dynamic) return bool(value?.kind === 'string' && value.of !== null);
      return bool(typeof value === 'string');
    default:
      return refuse();
  }
}
