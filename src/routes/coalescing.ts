import {
  type Compiled,
  dynamic,
  type Evaluate,
  logical,
  numberOf,
  numeric,
  stringOf,
  textual,
  truthOf,
} from './values.ts';

/** `left ?? right`: the left one unless it is undefined or null. */
export function coalescing(left: Compiled, right: Compiled): Compiled {
  if (left.type === 'undefined' || left.type === 'null') return right;
  const operands = [left, right];
  if (left.type === right.type || right.type === 'undefined') {
    if (left.type === 'number') return numeric(operands, either(left.run, numberOf(right)));
    if (left.type === 'string') return textual(operands, either(left.run, stringOf(right)));
    if (left.type === 'boolean') return logical(operands, either(left.run, truthOf(right)));
  }
  return dynamic(operands, either<unknown>(left.run, right.run));
}

function either<T>(one: Evaluate<T>, other: Evaluate<T>): Evaluate<T> {
  return subject => one(subject) ?? other(subject);
}
