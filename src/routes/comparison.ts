import type { OrderOperator } from './tree.ts';
import {
  type Compiled,
  type Evaluate,
  lift,
  liftTwo,
  logical,
  NO_SUBJECT,
  numberOf,
  stringOf,
} from './values.ts';

type Ordered = number | string;

const HOLDS: Readonly<Record<OrderOperator, (left: Ordered, right: Ordered) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** The same with a literal on the right, so that its type is settled once. */
const HOLDS_AGAINST: Readonly<Record<OrderOperator, (literal: Ordered) => (value: Ordered) => boolean>> = {
  '<': literal => value => value < literal,
  '<=': literal => value => value <= literal,
  '>': literal => value => value > literal,
  '>=': literal => value => value >= literal,
};

/** The same question asked from the other side. */
const MIRRORED: Readonly<Record<OrderOperator, OrderOperator>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/**
 * `=`, or `!=` if `equal` is false. Undefined if an operand is undefined or if both are objects or arrays, which
 * are not compared; values of different types are not equal.
 */
export function equality(equal: boolean, left: Compiled, right: Compiled): Compiled {
  if (right.constant) return logical([left, right], equalTo(equal, left.run, right.run(NO_SUBJECT)));
  if (left.constant) return logical([left, right], equalTo(equal, right.run, left.run(NO_SUBJECT)));
  const compare = (first: unknown, second: unknown): boolean | undefined =>
    isStructure(first) && isStructure(second) ? undefined : (first === second) === equal;
  return logical([left, right], liftTwo<unknown, unknown, boolean>(left.run, right.run, compare));
}

/** `<`, `<=`, `>` or `>=` of two numbers or of two strings, by their UTF-16 units; else undefined. */
export function ordering(operator: OrderOperator, left: Compiled, right: Compiled): Compiled {
  const types = [left.type, right.type];
  if (types.includes('number')) return logical([left, right], typedOrder(operator, left, right, numberOf));
  if (types.includes('string')) return logical([left, right], typedOrder(operator, left, right, stringOf));
  const holds = HOLDS[operator];
  const compare = (first: unknown, second: unknown): boolean | undefined => {
    if (typeof first === 'number' && typeof second === 'number') return holds(first, second);
    return typeof first === 'string' && typeof second === 'string' ? holds(first, second) : undefined;
  };
  return logical([left, right], liftTwo<unknown, unknown, boolean>(left.run, right.run, compare));
}

function equalTo(equal: boolean, run: Evaluate<unknown>, literal: unknown): Evaluate<boolean> {
  if (literal === undefined) return () => undefined;
  return equal ? lift(run, value => value === literal) : lift(run, value => value !== literal);
}

function typedOrder<T extends Ordered>(
  operator: OrderOperator,
  left: Compiled,
  right: Compiled,
  typed: (operand: Compiled) => Evaluate<T>,
): Evaluate<boolean> {
  const one = typed(left);
  const other = typed(right);
  if (right.constant) return orderedAgainst(operator, one, other(NO_SUBJECT));
  if (left.constant) return orderedAgainst(MIRRORED[operator], other, one(NO_SUBJECT));
  return liftTwo(one, other, HOLDS[operator]);
}

function orderedAgainst<T extends Ordered>(
  operator: OrderOperator,
  run: Evaluate<T>,
  literal: T | undefined,
): Evaluate<boolean> {
  return literal === undefined ? () => undefined : lift(run, HOLDS_AGAINST[operator](literal));
}

function isStructure(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
