import { printExpression } from '../printer.ts';
import type { Binary, Expression } from '../tree.ts';
import type { Type } from './types.ts';

/** Characters of an expression that a sentence repeats; the carets show a longer one. */
const MAX_REPEATED = 40;

const TYPE_NAMES: Readonly<Record<Type, string>> = {
  number: 'a number',
  string: 'a string',
  boolean: 'a boolean',
  null: 'a type of its own',
  undefined: 'a type of its own',
  dynamic: 'a value of the body',
};

const PROPERTY_NAMES: Readonly<Partial<Record<Expression['kind'], string>>> = {
  property: 'an application property and so a string',
  system: 'a system property and so a string',
};

const NOT_ADVICE = '; NOT binds tighter than a comparison, so write NOT (... = ...)';

/** Why `operand` cannot stand where `taker` (an operator, a function) takes `accepted`. */
export function operandComplaint(
  taker: string,
  accepted: readonly Type[],
  operand: Expression,
  type: Type,
): string {
  const named = accepted.filter(name => name !== 'undefined' && name !== 'dynamic');
  const wanted = named.map(name => TYPE_NAMES[name]);
  return `${taker} takes ${wanted.join(' or ')}, and ${factOf(operand, type)}${advice(taker, accepted, operand, type)}`;
}

/** Why the two sides of a comparison or of `??` do not go together. */
export function mismatchComplaint(
  { operator, left, right }: Binary,
  leftType: Type,
  rightType: Type,
): string {
  const facts = `${operator} takes two values of one type: ${factOf(left, leftType)}, ${factOf(right, rightType)}`;
  const types = [leftType, rightType];
  const text = leftType === 'string' ? left : right;
  if (types.includes('string') && types.includes('number')) return `${facts}${asNumberAdvice(text)}`;
  if (types.includes('string') && types.includes('null')) {
    return `${facts}; write NOT is_defined(${shown(text)})`;
  }
  if (types.includes('string') && types.includes('boolean') && text.kind !== 'literal') {
    return `${facts}; write 'true' or 'false' in quotes`;
  }
  return left.kind === 'unary' && left.operator === 'NOT' ? `${facts}${NOT_ADVICE}` : facts;
}

/** Why `operand` has no order. */
export function orderComplaint(operator: string, operand: Expression, type: Type): string {
  return `${operator} takes numbers or strings, and ${factOf(operand, type)}`;
}

/** Why a call with `given` operands is refused. */
export function countComplaint(name: string, least: number, most: number, given: number): string {
  const range =
    most === least ? `${least}` : Number.isFinite(most) ? `${least} or ${most}` : `at least ${least}`;
  return `${name} takes ${range} ${range.endsWith('1') ? 'value' : 'values'}, and here it has ${given}`;
}

function advice(taker: string, accepted: readonly Type[], operand: Expression, type: Type): string {
  if (taker === 'NOT') return NOT_ADVICE;
  if (type !== 'string') return '';
  if (accepted.includes('number')) return asNumberAdvice(operand);
  return operand.kind === 'literal' ? '' : `; compare it, as in ${shown(operand)} = 'true'`;
}

function asNumberAdvice(text: Expression): string {
  return text.kind === 'literal' ? '' : `; write as_number(${shown(text)})`;
}

function factOf(expression: Expression, type: Type): string {
  return `${shown(expression)} is ${PROPERTY_NAMES[expression.kind] ?? TYPE_NAMES[type]}`;
}

function shown(expression: Expression): string {
  const text = printExpression(expression);
  return text.length <= MAX_REPEATED ? text : `${text.slice(0, MAX_REPEATED)}…`;
}
