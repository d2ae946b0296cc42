import { numberOf, power, square } from './numbers.ts';
import type { Form } from './semantics.ts';
import {
  contains,
  endsWith,
  indexOf,
  joined,
  lengthOf,
  lower,
  part,
  startsWith,
  tail,
  upper,
} from './texts.ts';

/**
 * Implementation of a route function, and the form (JavaScript type) of each operand in generated code. If a
 * call has more operands than forms, the last form applies to all further operands.
 */
type CallRow = { readonly forms: readonly Form[]; readonly compute: (...operands: never[]) => unknown };

const N = ['number'] as const;
const S = ['string'] as const;
const SS = ['string', 'string'] as const;

/** Functions whose operands have the same forms in both dialects. */
export const CALLS: ReadonlyMap<string, CallRow> = new Map<string, CallRow>([
  ['abs', { forms: N, compute: Math.abs }],
  ['ceiling', { forms: N, compute: Math.ceil }],
  ['exp', { forms: N, compute: Math.exp }],
  ['floor', { forms: N, compute: Math.floor }],
  ['sign', { forms: N, compute: Math.sign }],
  ['sqrt', { forms: N, compute: Math.sqrt }],
  ['square', { forms: N, compute: square }],
  ['power', { forms: ['number', 'number'], compute: power }],
  ['length', { forms: S, compute: lengthOf }],
  ['lower', { forms: S, compute: lower }],
  ['upper', { forms: S, compute: upper }],
  ['concat', { forms: SS, compute: joined }],
  ['index_of', { forms: SS, compute: indexOf }],
  ['contains', { forms: SS, compute: contains }],
  ['starts_with', { forms: SS, compute: startsWith }],
  ['ends_with', { forms: SS, compute: endsWith }],
]);

/** Implementation of `substring` with two operands. */
export const TAIL: CallRow = { forms: ['string', 'number'], compute: tail };

/** Implementation of `substring` with three operands. */
export const PART: CallRow = { forms: ['string', 'number', 'number'], compute: part };

/** Implementation of `as_number` with a string operand. */
export const NUMBER_OF: CallRow = { forms: S, compute: numberOf };
