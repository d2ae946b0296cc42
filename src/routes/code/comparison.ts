import type { BinaryOperator } from '../tree.ts';
import type { Part } from './semantics.ts';
import type { Writer } from './writer.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** The same as JavaScript has it. */
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

/** Of two numbers, given as code. One of them known spares the look at it. */
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

/** `test` says nothing where a number is NaN, but for `!=`, which then holds. */
function settled(test: string, numbers: readonly string[], operator: Comparison): string {
  const defined = numbers.map(name => `${name} === ${name}`).join(' && ');
  if (operator === '!=') return `(${test} ? ${defined} ? true : undefined : false)`;
  return `(${test} ? true : ${defined} ? false : undefined)`;
}

/** Of two strings or two booleans, given as code. */
export function compareDefined(operator: Comparison, left: string, right: string, writer: Writer): string {
  const one = writer.temporary();
  const other = writer.temporary();
  const absent = `(${one} = ${left}) == null || (${other} = ${right}) == null`;
  return `(${absent} ? undefined : ${one} ${OPERATORS[operator]} ${other})`;
}

/** A string or a boolean with one that is known. */
export function compareWithKnown(operator: Comparison, part: string, known: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${part}) == null ? undefined : ${value} ${OPERATORS[operator]} ${known})`;
}

/** Of two values whose order (-1, 0, 1; NaN: none) `ordered` computes. */
export function compareOrder(operator: Comparison, ordered: string, writer: Writer): string {
  return compareNumbers(operator, ordered, '0', 'right', writer);
}

/** The same question asked from the other side. */
export function mirrored(operator: Comparison): Comparison {
  if (operator === '=' || operator === '!=') return operator;
  const turned = operator.startsWith('<') ? '>' : '<';
  return operator.length === 2 ? `${turned}=` : turned;
}

/** Whether `part` is known to have no value: nothing can be compared with it. */
export function isAbsent({ type, known }: Part): boolean {
  if (type === 'undefined') return true;
  return known !== undefined && (known.value === undefined || Number.isNaN(known.value));
}

/** Which of two parts is the same for every message. */
export function knownSideOf(left: Part, right: Part): 'left' | 'right' | undefined {
  if (right.known !== undefined) return 'right';
  return left.known === undefined ? undefined : 'left';
}
