import type { Expression, Literal } from '../tree.ts';

/** What is known of a value before any message came. `dynamic`: whatever the body holds there. */
export type Type = 'number' | 'string' | 'boolean' | 'null' | 'undefined' | 'dynamic';

/** The types of a condition and of all its parts. */
export type TypeFacts = ReadonlyMap<Expression, Type>;

/** The type of a literal. */
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
