import type { Dialect } from '../dialect.ts';
import type { Type } from './types.ts';

/** Signature of a function. */
export type FunctionSignature = {
  /** Accepted types of each operand. */
  readonly parameters: readonly (readonly Type[])[];
  /** Number of optional operands at the end. */
  readonly optional: number;
  /** Tells if the last operand may be repeated. */
  readonly repeats: boolean;
  readonly result: Type;
};

const NUMBER: readonly Type[] = ['number', 'dynamic'];
const TEXT: readonly Type[] = ['string', 'dynamic'];
const NUMERAL: readonly Type[] = ['number', 'string', 'dynamic'];
const ANYTHING: readonly Type[] = ['number', 'string', 'boolean', 'null', 'undefined', 'dynamic'];

const REFERENCE: readonly (readonly [name: string, signature: FunctionSignature])[] = [
  ['abs', takes([NUMBER], 'number')],
  ['ceiling', takes([NUMBER], 'number')],
  ['exp', takes([NUMBER], 'number')],
  ['floor', takes([NUMBER], 'number')],
  ['power', takes([NUMBER, NUMBER], 'number')],
  ['sign', takes([NUMBER], 'number')],
  ['sqrt', takes([NUMBER], 'number')],
  ['square', takes([NUMBER], 'number')],
  ['as_number', takes([NUMERAL], 'number')],
  ['is_bool', takes([ANYTHING], 'boolean')],
  ['is_defined', takes([ANYTHING], 'boolean')],
  ['is_null', takes([ANYTHING], 'boolean')],
  ['is_number', takes([ANYTHING], 'boolean')],
  ['is_string', takes([ANYTHING], 'boolean')],
  ['concat', { ...takes([TEXT, TEXT], 'string'), repeats: true }],
  ['length', takes([TEXT], 'number')],
  ['lower', takes([TEXT], 'string')],
  ['upper', takes([TEXT], 'string')],
  ['substring', { ...takes([TEXT, NUMBER, NUMBER], 'string'), optional: 1 }],
  ['index_of', takes([TEXT, TEXT], 'number')],
  ['contains', takes([TEXT, TEXT], 'boolean')],
  ['starts_with', takes([TEXT, TEXT], 'boolean')],
  ['ends_with', takes([TEXT, TEXT], 'boolean')],
];

/** Functions of IoT Hub's language that IoT Edge lacks. */
const HUB: typeof REFERENCE = [
  ['is_array', takes([ANYTHING], 'boolean')],
  ['is_boolean', takes([ANYTHING], 'boolean')],
  ['is_object', takes([ANYTHING], 'boolean')],
  ['is_primitive', takes([ANYTHING], 'boolean')],
];

/** Functions by lower-case name. */
export const FUNCTIONS: Readonly<Record<Dialect, ReadonlyMap<string, FunctionSignature>>> = {
  skerry: new Map([...REFERENCE, ...HUB]),
  azure: new Map(REFERENCE),
};

function takes(parameters: FunctionSignature['parameters'], result: Type): FunctionSignature {
  return { parameters, result, optional: 0, repeats: false };
}
