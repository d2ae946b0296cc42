import type { Part } from './semantics.ts';
import type { Writer } from './writer.ts';

/**
 * Three-valued AND (`decisive` is false) or OR (true) of two booleans given as code. Either operand may
 * decide, and order does not matter, so the cheaper one is evaluated first: a body is parsed only if the
 * properties do not decide.
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

/** Three-valued NOT of a boolean given as code. */
export function negated(boolean: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${boolean}) === undefined ? undefined : !${value})`;
}
