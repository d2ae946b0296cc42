import type { Part } from './semantics.ts';
import type { Writer } from './writer.ts';

/**
 * Generates the code of a three-valued AND (`decisive` is false) or OR (`decisive` is true) of two booleans.
 * Each operand can decide the result alone. The generated code therefore evaluates the operand with the lower
 * cost first. If the properties of a message decide, the body is not parsed.
 */
export function decidedBy(
  decisive: boolean,
  left: Part,
  right: Part,
  boolean: (part: Part) => string,
  writer: Writer,
): string {
  const [first, second] = right.cost < left.cost ? [right, left] : [left, right];
  if (first.known?.value === !decisive) return boolean(second);
  const one = writer.temporary();
  const other = writer.temporary();
  return `((${one} = ${boolean(first)}) === ${decisive} ? ${decisive}
    : (${other} = ${boolean(second)}) === ${decisive} ? ${decisive} : ${one} === undefined ? undefined : ${other})`;
}

/** Generates the code of a three-valued NOT. `boolean` is the code of the operand. */
export function negated(boolean: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${boolean}) === undefined ? undefined : !${value})`;
}
