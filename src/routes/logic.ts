import { type Compiled, constantOf, type Evaluate, lift, logical, NO_SUBJECT, truthOf } from './values.ts';

/** Three-valued NOT: undefined stays undefined. */
export function negation(operand: Compiled): Compiled {
  return logical(
    [operand],
    lift(truthOf(operand), value => !value),
  );
}

/** Three-valued AND: false if either is false, true if both are true, else undefined. */
export function conjunction(left: Compiled, right: Compiled): Compiled {
  return decidedBy(false, left, right);
}

/** Three-valued OR: true if either is true, false if both are false, else undefined. */
export function disjunction(left: Compiled, right: Compiled): Compiled {
  return decidedBy(true, left, right);
}

/**
 * Either operand alone may decide with the value `decisive`. As the order does not change the result, the cheaper
 * one is asked first: a body is only parsed when the properties have left the question open.
 */
function decidedBy(decisive: boolean, left: Compiled, right: Compiled): Compiled {
  const [first, second] = cost(right) < cost(left) ? [right, left] : [left, right];
  const one = truthOf(first);
  const other = truthOf(second);
  if (first.constant && one(NO_SUBJECT) === decisive) return constantOf(decisive);
  if (first.constant && one(NO_SUBJECT) === !decisive) return logical([second], other);
  return logical([first, second], pair(decisive, one, other));
}

function pair(decisive: boolean, one: Evaluate<boolean>, other: Evaluate<boolean>): Evaluate<boolean> {
  return subject => {
    const first = one(subject);
    if (first === decisive) return decisive;
    const second = other(subject);
    if (second === decisive) return decisive;
    return first === undefined ? undefined : second;
  };
}

function cost(operand: Compiled): number {
  if (operand.constant) return 0;
  return operand.needsBody ? 2 : 1;
}
