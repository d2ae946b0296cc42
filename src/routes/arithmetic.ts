import { MAX_JOINED } from '../core/limits.ts';
import { type Compiled, lift, liftTwo, numberOf, numeric, stringOf, textual } from './values.ts';

/** An arithmetic operator on two numbers. A number divided by zero is infinite, 0 / 0 undefined. */
export function arithmetic(
  compute: (left: number, right: number) => number,
): (left: Compiled, right: Compiled) => Compiled {
  return (left, right) => numeric([left, right], liftTwo(numberOf(left), numberOf(right), compute));
}

/** Unary minus. */
export function minus(operand: Compiled): Compiled {
  return numeric(
    [operand],
    lift(numberOf(operand), value => -value),
  );
}

/** All operands as one string. Throws `RangeError` beyond `MAX_JOINED` when it runs: the verdict is `error`. */
export function joining(operands: readonly Compiled[]): Compiled {
  const parts = operands.map(stringOf);
  return textual(operands, subject => {
    let joined = '';
    for (const part of parts) {
      const value = part(subject);
      if (value === undefined) return undefined;
      joined += value;
      if (joined.length > MAX_JOINED) throw new RangeError(`a joined string is longer than ${MAX_JOINED}`);
    }
    return joined;
  });
}
