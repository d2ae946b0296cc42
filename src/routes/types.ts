import type { Literal } from './tree.ts';

/** What is known of a value before any message came. `dynamic`: whatever the body holds there. */
export type Type = 'number' | 'string' | 'boolean' | 'null' | 'undefined' | 'dynamic';

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

/** Whether an operand of `type` may stand where one of `accepted` must: what the body holds shows only later. */
export function fits(type: Type, accepted: readonly Type[]): boolean {
  return type === 'dynamic' || accepted.includes(type);
}

/** The type of `left ?? right`; undefined if the two do not go together. */
export function joinTypes(left: Type, right: Type): Type | undefined {
  if (left === 'undefined' || left === 'null') return right;
  if (left === right || right === 'undefined') return left;
  return left === 'dynamic' || right === 'dynamic' || right === 'null' ? 'dynamic' : undefined;
}
