import type { Expression, Literal } from '../tree.ts';

/** Static type of a value. The type of a body value is `dynamic`. */
export type Type = 'number' | 'string' | 'boolean' | 'null' | 'undefined' | 'dynamic';

/** Types of a condition and all of its parts. */
export type TypeFacts = ReadonlyMap<Expression, Type>;

/** Returns the type of a literal. */
export function literalType(value: Literal['value']): Type {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'number':
      return 'number';
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    default:
      return 'undefined';
  }
}
