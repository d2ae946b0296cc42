import type { Expression, Literal } from '../tree.ts';

/** Static type of a value. `dynamic` for a value of the body. */
export type Type = 'number' | 'string' | 'boolean' | 'null' | 'undefined' | 'dynamic';

/** Types of a condition and all its parts. */
export type TypeFacts = ReadonlyMap<Expression, Type>;

/** Type of a literal. */
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
