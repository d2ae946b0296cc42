import type { Dialect } from '../dialect.ts';
import type { Type } from './types.ts';

export type FunctionSignature = {
  /** Accepted types for each operand. */
  readonly parameters: readonly (readonly Type[])[];
  /** Number of optional operands at the end. */
  readonly optional: number;
  /** True if a call can repeat the last operand. */
  readonly repeats: boolean;
  readonly result: Type;
};

const NUMBER: readonly Type[] = ['number', 'dynamic'];
const TEXT: readonly Type[] = ['string', 'dynamic'];
const NUMERAL: readonly Type[] = ['number', 'string', 'dynamic'];
const ANYTHING: readonly Type[] = ['number', 'string', 'boolean', 'null', 'undefined', 'dynamic'];

const REFERENCE: readonly (readonly [name: string, signature: FunctionSignature])[] = [
  ['abs', signature([NUMBER], 'number')],
  ['ceiling', signature([NUMBER], 'number')],
  ['exp', signature([NUMBER], 'number')],
  ['floor', signature([NUMBER], 'number')],
  ['power', signature([NUMBER, NUMBER], 'number')],
  ['sign', signature([NUMBER], 'number')],
  ['sqrt', signature([NUMBER], 'number')],
  ['square', signature([NUMBER], 'number')],
  ['as_number', signature([NUMERAL], 'number')],
  ['is_bool', signature([ANYTHING], 'boolean')],
  ['is_defined', signature([ANYTHING], 'boolean')],
  ['is_null', signature([ANYTHING], 'boolean')],
  ['is_number', signature([ANYTHING], 'boolean')],
  ['is_string', signature([ANYTHING], 'boolean')],
  ['concat', { ...signature([TEXT, TEXT], 'string'), repeats: true }],
  ['length', signature([TEXT], 'number')],
  ['lower', signature([TEXT], 'string')],
  ['upper', signature([TEXT], 'string')],
  ['substring', { ...signature([TEXT, NUMBER, NUMBER], 'string'), optional: 1 }],
  ['index_of', signature([TEXT, TEXT], 'number')],
  ['contains', signature([TEXT, TEXT], 'boolean')],
  ['starts_with', signature([TEXT, TEXT], 'boolean')],
  ['ends_with', signature([TEXT, TEXT], 'boolean')],
];

/** Functions of Azure IoT Hub that Azure IoT Edge does not have. */
const HUB: typeof REFERENCE = [
  ['is_array', signature([ANYTHING], 'boolean')],
  ['is_boolean', signature([ANYTHING], 'boolean')],
  ['is_object', signature([ANYTHING], 'boolean')],
  ['is_primitive', signature([ANYTHING], 'boolean')],
];

/** Signatures of functions by dialect, and by name in lower case. */
export const FUNCTIONS: Readonly<Record<Dialect, ReadonlyMap<string, FunctionSignature>>> = {
  skerry: new Map([...REFERENCE, ...HUB]),
  azure: new Map(REFERENCE),
};

function signature(parameters: FunctionSignature['parameters'], result: Type): FunctionSignature {
  return { parameters, result, optional: 0, repeats: false };
}
