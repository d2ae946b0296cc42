import { joining } from './arithmetic.ts';
import { numberFrom } from './numerals.ts';
import { positionOf } from './search.ts';
import type { Type } from './types.ts';
import { type Compiled, lift, liftTwo, logical, numberOf, numeric, stringOf, textual } from './values.ts';

/** What a call must look like, and what becomes of it. */
export type FunctionRow = {
  /** The types that each parameter accepts. */
  readonly parameters: readonly (readonly Type[])[];
  /** How many of the last parameters may be missing. */
  readonly optional: number;
  /** Whether the last parameter may be repeated. */
  readonly repeats: boolean;
  readonly result: Type;
  readonly build: (operands: readonly Compiled[]) => Compiled;
};

type Shape = Omit<FunctionRow, 'build'>;

const NUMBER: readonly Type[] = ['number'];
const TEXT: readonly Type[] = ['string'];
const NUMERAL: readonly Type[] = ['number', 'string'];
const ANYTHING: readonly Type[] = ['number', 'string', 'boolean', 'null', 'undefined'];

/** Every function by its name in lower case. An undefined operand makes the result undefined, but for `is_...`. */
export const FUNCTIONS: ReadonlyMap<string, FunctionRow> = new Map([
  ['abs', ofNumber(Math.abs)],
  ['ceiling', ofNumber(Math.ceil)],
  ['exp', ofNumber(Math.exp)],
  ['floor', ofNumber(Math.floor)],
  ['sign', ofNumber(Math.sign)],
  ['sqrt', ofNumber(Math.sqrt)],
  ['square', ofNumber(value => value * value)],
  ['power', { ...shape([NUMBER, NUMBER], 'number'), build: power }],
  ['as_number', { ...shape([NUMERAL], 'number'), build: asNumber }],
  ['is_array', test(Array.isArray)],
  ['is_bool', test(value => typeof value === 'boolean')],
  ['is_boolean', test(value => typeof value === 'boolean')],
  ['is_defined', test(value => value !== undefined)],
  ['is_null', test(value => value === null)],
  ['is_number', test(value => typeof value === 'number')],
  ['is_object', test(value => isStructure(value) && !Array.isArray(value))],
  ['is_primitive', test(value => value !== undefined && !isStructure(value))],
  ['is_string', test(value => typeof value === 'string')],
  ['concat', { ...shape([TEXT], 'string'), repeats: true, build: joining }],
  ['lower', ofText(text => text.toLowerCase())],
  ['upper', ofText(text => text.toUpperCase())],
  ['substring', { ...shape([TEXT, NUMBER, NUMBER], 'string'), optional: 1, build: substring }],
  ['length', { ...shape([TEXT], 'number'), build: length }],
  ['index_of', { ...shape([TEXT, TEXT], 'number'), build: indexOf }],
  ['contains', textTest((text, part) => positionOf(text, part) >= 0)],
  ['starts_with', textTest((text, part) => text.startsWith(part))],
  ['ends_with', textTest((text, part) => text.endsWith(part))],
]);

function shape(parameters: readonly (readonly Type[])[], result: Type): Shape {
  return { parameters, result, optional: 0, repeats: false };
}

function ofNumber(compute: (value: number) => number): FunctionRow {
  return {
    ...shape([NUMBER], 'number'),
    build: operands => numeric(operands, lift(numberOf(operands[0]), compute)),
  };
}

function ofText(change: (text: string) => string): FunctionRow {
  return {
    ...shape([TEXT], 'string'),
    build: operands => textual(operands, lift(stringOf(operands[0]), change)),
  };
}

function textTest(holds: (text: string, part: string) => boolean): FunctionRow {
  const build = (operands: readonly Compiled[]): Compiled =>
    logical(operands, liftTwo(stringOf(operands[0]), stringOf(operands[1]), holds));
  return { ...shape([TEXT, TEXT], 'boolean'), build };
}

function test(holds: (value: unknown) => boolean): FunctionRow {
  const build = (operands: readonly Compiled[]): Compiled => {
    const [operand] = operands;
    return logical(operands, subject => holds(operand?.run(subject)));
  };
  return { ...shape([ANYTHING], 'boolean'), build };
}

function power(operands: readonly Compiled[]): Compiled {
  const [base, exponent] = operands;
  return numeric(
    operands,
    liftTwo(numberOf(base), numberOf(exponent), (first, second) => first ** second),
  );
}

function length(operands: readonly Compiled[]): Compiled {
  return numeric(
    operands,
    lift(stringOf(operands[0]), text => text.length),
  );
}

function indexOf(operands: readonly Compiled[]): Compiled {
  const [text, part] = operands;
  return numeric(operands, liftTwo(stringOf(text), stringOf(part), positionOf));
}

/** A number as it is, a string that holds a decimal number as that number. */
function asNumber(operands: readonly Compiled[]): Compiled {
  const [operand] = operands;
  const read = (value: unknown): number | undefined => {
    if (typeof value === 'number') return value;
    return typeof value === 'string' ? numberFrom(value) : undefined;
  };
  return numeric(
    operands,
    operand === undefined ? () => undefined : lift<unknown, number>(operand.run, read),
  );
}

/** From a position counted from 0, as far as the end or so many UTF-16 units; undefined if not all lie within. */
function substring(operands: readonly Compiled[]): Compiled {
  const [text, from, count] = operands;
  const tail = liftTwo(stringOf(text), numberOf(from), (whole, start) =>
    isPosition(start, whole.length) ? whole.slice(start) : undefined,
  );
  if (count === undefined) return textual(operands, tail);
  const head = liftTwo(tail, numberOf(count), (rest, units) =>
    isPosition(units, rest.length) ? rest.slice(0, units) : undefined,
  );
  return textual(operands, head);
}

function isPosition(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= length;
}

function isStructure(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
