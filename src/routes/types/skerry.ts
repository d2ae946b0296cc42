import { refuse } from '../diagnostics.ts';
import type { Binary, Expression } from '../tree.ts';
import type { Typing } from './check.ts';
import { mismatchError, operandError, orderError } from './type-errors.ts';
import type { Type } from './types.ts';

const TRUTH: readonly Type[] = ['boolean', 'undefined', 'dynamic'];
const NUMBER: readonly Type[] = ['number', 'dynamic'];
const TEXT: readonly Type[] = ['string', 'dynamic'];
const ORDERED: readonly Type[] = ['number', 'string', 'undefined', 'dynamic'];

/**
 * Operand types of the default dialect. Each operator accepts only certain operand types. The types of body
 * values are checked at run time.
 */
export const SKERRY: Typing = {
  unary: { NOT: { takes: TRUTH, gives: 'boolean' }, '-': { takes: NUMBER, gives: 'number' } },
  binary: binaryType,
  condition: TRUTH,
};

function binaryType(expression: Binary, left: Type, right: Type): Type {
  switch (expression.operator) {
    case '??':
      return defaultType(expression, left, right);
    case 'AND':
    case 'OR':
      return both(TRUTH, expression, left, right, 'boolean');
    case '||':
      return both(TEXT, expression, left, right, 'string');
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return both(NUMBER, expression, left, right, 'number');
    case '=':
    case '!=':
      checkComparable(expression, left, right);
      return 'boolean';
    case '<':
    case '<=':
    case '>':
    case '>=':
      checkOrdered(expression, left, right);
      return 'boolean';
  }
}

function both(accepted: readonly Type[], expression: Binary, left: Type, right: Type, result: Type): Type {
  const { operator } = expression;
  const check = (operand: Expression, type: Type): void => {
    if (!accepted.includes(type)) refuse(operand, operandError(operator, accepted, operand, type));
  };
  check(expression.left, left);
  check(expression.right, right);
  return result;
}

function defaultType(expression: Binary, left: Type, right: Type): Type {
  if (left === 'undefined' || left === 'null') return right;
  if (left === right || right === 'undefined') return left;
  if (left === 'dynamic' || right === 'dynamic' || right === 'null') return 'dynamic';
  return refuse(expression, mismatchError(expression, left, right));
}

function checkComparable(expression: Binary, left: Type, right: Type): void {
  const unchecked = [left, right].some(type => type === 'undefined' || type === 'dynamic');
  if (!unchecked && left !== right) refuse(expression, mismatchError(expression, left, right));
}

function checkOrdered(expression: Binary, left: Type, right: Type): void {
  checkComparable(expression, left, right);
  const check = (operand: Expression, type: Type): void => {
    if (!ORDERED.includes(type)) refuse(operand, orderError(expression.operator, operand, type));
  };
  check(expression.left, left);
  check(expression.right, right);
}
