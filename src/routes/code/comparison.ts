import type { BinaryOperator } from '../tree.ts';
import type { Part } from './semantics.ts';
import type { Writer } from './writer.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** JavaScript operators of the comparisons. */
const OPERATORS: Readonly<Record<Comparison, string>> = {
  '=': '===',
  '!=': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

export function isComparison(operator: BinaryOperator): operator is Comparison {
  return Object.hasOwn(OPERATORS, operator);
}

/** Compares two numbers, given as code. A constant operand needs no NaN check. */
export function compareNumbers(
  operator: Comparison,
  left: string,
  right: string,
  knownSide: 'left' | 'right' | undefined,
  writer: Writer,
): string {
  const holds = OPERATORS[operator];
  const value = writer.temporary();
  if (knownSide === 'right') return settled(`(${value} = ${left}) ${holds} ${right}`, [value], operator);
  if (knownSide === 'left') return settled(`${left} ${holds} (${value} = ${right})`, [value], operator);
  const other = writer.temporary();
  return settled(`(${value} = ${left}) ${holds} (${other} = ${right})`, [value, other], operator);
}

/** Makes `test` undefined if a number is NaN, except for `!=`, which then holds. */
function settled(test: string, numbers: readonly string[], operator: Comparison): string {
  const defined = numbers.map(name => `${name} === ${name}`).join(' && ');
  if (operator === '!=') return `(${test} ? ${defined} ? true : undefined : false)`;
  return `(${test} ? true : ${defined} ? false : undefined)`;
}

/** Compares two strings or two booleans, given as code. */
export function compareDefined(operator: Comparison, left: string, right: string, writer: Writer): string {
  const one = writer.temporary();
  const other = writer.temporary();
  const absent = `(${one} = ${left}) == null || (${other} = ${right}) == null`;
  return `(${absent} ? undefined : ${one} ${OPERATORS[operator]} ${other})`;
}

/** Compares a string or boolean with a constant. */
export function compareWithKnown(operator: Comparison, part: string, known: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${part}) == null ? undefined : ${value} ${OPERATORS[operator]} ${known})`;
}

/** Compares two values by `ordered` (-1, 0, 1; NaN for unordered). */
export function compareOrder(operator: Comparison, ordered: string, writer: Writer): string {
  return compareNumbers(operator, ordered, '0', 'right', writer);
}

/** Mirrored comparison operators. */
export function mirrored(operator: Comparison): Comparison {
  if (operator === '=' || operator === '!=') return operator;
  const turned = operator.startsWith('<') ? '>' : '<';
  return operator.length === 2 ? `${turned}=` : turned;
}

/** Tells if `part` is constantly undefined, so that no comparison is possible. */
export function isAbsent({ type, known }: Part): boolean {
  if (type === 'undefined') return true;
  return known !== undefined && (known.value === undefined || Number.isNaN(known.value));
}

/** Finds the constant operand of a comparison. */
export function knownSideOf(left: Part, right: Part): 'left' | 'right' | undefined {
  if (right.known !== undefined) return 'right';
  return left.known === undefined ? undefined : 'left';
}
