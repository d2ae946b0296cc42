import { printExpression } from '../printer.ts';
import type { Binary, Expression } from '../tree.ts';
import type { Type } from './types.ts';

/** Maximum characters of an expression that are shown in an error text. */
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

/**
 * Explains why `operand` has the wrong type. `consumer` is the operator or function. `accepted` contains the
 * types that the consumer accepts.
 */
export function operandError(
  consumer: string,
  accepted: readonly Type[],
  operand: Expression,
  type: Type,
): string {
  const named = accepted.filter(name => name !== 'undefined' && name !== 'dynamic');
  const wanted = named.map(name => TYPE_NAMES[name]);
  return `${consumer} requires ${wanted.join(' or ')}, but ${factOf(operand, type)}${advice(consumer, accepted, operand, type)}`;
}

/** Explains why the operands of a comparison or of `??` have incompatible types. */
export function mismatchError({ operator, left, right }: Binary, leftType: Type, rightType: Type): string {
  const facts = `${operator} requires two operands of one type: ${factOf(left, leftType)}, ${factOf(right, rightType)}`;
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

/** Explains why `operand` is invalid for `<`, `<=`, `>` or `>=`. */
export function orderError(operator: string, operand: Expression, type: Type): string {
  return `${operator} requires numbers or strings, but ${factOf(operand, type)}`;
}

/** Explains why a call has the wrong number of operands. */
export function countError(name: string, minCount: number, maxCount: number, given: number): string {
  const range =
    maxCount === minCount
      ? `${minCount}`
      : Number.isFinite(maxCount)
        ? `${minCount} or ${maxCount}`
        : `at least ${minCount}`;
  return `${name} requires ${range} ${range.endsWith('1') ? 'operand' : 'operands'}, but has ${given}`;
}

function advice(consumer: string, accepted: readonly Type[], operand: Expression, type: Type): string {
  if (consumer === 'NOT') return NOT_ADVICE;
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
