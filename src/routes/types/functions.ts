import type { Dialect } from '../dialect.ts';
import type { Type } from './types.ts';

/** What a call must look like, and what it gives. */
export type Signature = {
  /** The types that each operand may have. */
  readonly parameters: readonly (readonly Type[])[];
  /** How many of the last ones may be missing. */
  readonly optional: number;
  /** Whether the last one may be repeated. */
  readonly repeats: boolean;
  readonly result: Type;
};

const NUMBER: readonly Type[] = ['number', 'dynamic'];
const TEXT: readonly Type[] = ['string', 'dynamic'];
const NUMERAL: readonly Type[] = ['number', 'string', 'dynamic'];
const ANYTHING: readonly Type[] = ['number', 'string', 'boolean', 'null', 'undefined', 'dynamic'];

const REFERENCE: readonly (readonly [name: string, signature: Signature])[] = [
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

/** What IoT Hub's own language has beyond its edge's. */
const HUB: typeof REFERENCE = [
  ['is_array', takes([ANYTHING], 'boolean')],
  ['is_boolean', takes([ANYTHING], 'boolean')],
  ['is_object', takes([ANYTHING], 'boolean')],
  ['is_primitive', takes([ANYTHING], 'boolean')],
];

/** Every function by its name in lower case. */
export const FUNCTIONS: Readonly<Record<Dialect, ReadonlyMap<string, Signature>>> = {
  skerry: new Map([...REFERENCE, ...HUB]),
  azure: new Map(REFERENCE),
};

function takes(parameters: Signature['parameters'], result: Type): Signature {
  return { parameters, result, optional: 0, repeats: false };
}
