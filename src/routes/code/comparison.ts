import type { BinaryOperator } from '../tree.ts';
import type { Part } from './semantics.ts';
import type { Writer } from './writer.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** JavaScript operators by comparison operator. */
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

/**
 * Generates the code that compares two numbers. `left` and `right` are the code of the operands. `knownSide`
 * is the side of a constant operand, which is not checked for NaN.
 */
export function compareNumbers(
  operator: Comparison,
  left: string,
  right: string,
  knownSide: 'left' | 'right' | undefined,
  writer: Writer,
): string {
  const holds = OPERATORS[operator];
  const value = writer.temporary();
  if (knownSide === 'right')
    return undefinedForNaN(`(${value} = ${left}) ${holds} ${right}`, [value], operator);
  if (knownSide === 'left')
    return undefinedForNaN(`${left} ${holds} (${value} = ${right})`, [value], operator);
  const other = writer.temporary();
  return undefinedForNaN(`(${value} = ${left}) ${holds} (${other} = ${right})`, [value, other], operator);
}

/**
 * Generates code whose value is the result of `test`, or undefined if one of `numbers` is NaN. In JavaScript,
 * a comparison with NaN is true for `!=` and false for every other operator. The code checks for NaN only
 * after this result.
 */
function undefinedForNaN(test: string, numbers: readonly string[], operator: Comparison): string {
  const defined = numbers.map(name => `${name} === ${name}`).join(' && ');
  if (operator === '!=') return `(${test} ? ${defined} ? true : undefined : false)`;
  return `(${test} ? true : ${defined} ? false : undefined)`;
}

/**
 * Generates the code that compares two strings or two booleans. `left` and `right` are the code of the
 * operands.
 */
export function compareDefined(operator: Comparison, left: string, right: string, writer: Writer): string {
  const one = writer.temporary();
  const other = writer.temporary();
  const absent = `(${one} = ${left}) == null || (${other} = ${right}) == null`;
  return `(${absent} ? undefined : ${one} ${OPERATORS[operator]} ${other})`;
}

/** Generates the code that compares a string or boolean with a constant. */
export function compareWithKnown(operator: Comparison, part: string, known: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${part}) == null ? undefined : ${value} ${OPERATORS[operator]} ${known})`;
}

/**
 * Generates the code of a comparison from `ordered`, the code that computes the order of two values: -1, 0,
 * 1, or NaN if the values have no order.
 */
export function compareOrder(operator: Comparison, ordered: string, writer: Writer): string {
  return compareNumbers(operator, ordered, '0', 'right', writer);
}

/** Returns the comparison operator that gives the same result with swapped operands. */
export function mirrored(operator: Comparison): Comparison {
  if (operator === '=' || operator === '!=') return operator;
  const turned = operator.startsWith('<') ? '>' : '<';
  return operator.length === 2 ? `${turned}=` : turned;
}

/**
 * Returns true if `part` is undefined for every message. A comparison with such a part is always undefined.
 */
export function isAbsent({ type, known }: Part): boolean {
  if (type === 'undefined') return true;
  return known !== undefined && (known.value === undefined || Number.isNaN(known.value));
}

/** Returns the side on which a comparison has a constant. Undefined if neither operand is constant. */
export function knownSideOf(left: Part, right: Part): 'left' | 'right' | undefined {
  if (right.known !== undefined) return 'right';
  return left.known === undefined ? undefined : 'left';
}
