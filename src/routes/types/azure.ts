import { refuse } from '../diagnostics.ts';
import type { Binary, Expression } from '../tree.ts';
import type { Typing } from './check.ts';
import { mismatchError, operandError } from './type-errors.ts';
import type { Type } from './types.ts';

const NUMBER: readonly Type[] = ['number', 'dynamic'];
const TEXT: readonly Type[] = ['string', 'dynamic'];
const ANYTHING: readonly Type[] = ['number', 'string', 'boolean', 'null', 'undefined', 'dynamic'];
const TRUTH: readonly Type[] = ['boolean', 'null', 'undefined'];

/**
 * Operand types as in Azure IoT Edge. Body values are invalid as operands of `%` and of unary minus. A body
 * value is also invalid as the right operand in `true AND $body.b`.
 */
export const AZURE: Typing = {
  unary: {
    NOT: { takes: ['boolean', 'null', 'dynamic'], gives: 'boolean' },
    '-': { takes: ['number'], gives: 'number' },
  },
  binary: binaryType,
  condition: ANYTHING,
};

function binaryType(expression: Binary, left: Type, right: Type): Type {
  switch (expression.operator) {
    case '??':
      checkAlike(expression, left, right);
      return left === 'dynamic' || right === 'dynamic' ? 'dynamic' : left;
    case 'AND':
    case 'OR':
      return logicalType(expression, left, right);
    case '||':
      checkBoth(TEXT, expression, left, right);
      return 'string';
    case '+':
    case '-':
    case '*':
    case '/':
      checkBoth(NUMBER, expression, left, right);
      return left === 'dynamic' || right === 'dynamic' ? 'dynamic' : 'number';
    case '%':
      checkBoth(['number'], expression, left, right);
      return 'number';
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      checkAlike(expression, left, right);
      return 'boolean';
  }
}

/**
 * Requires two operands of the same type. A body value is accepted with an operand of any type except
 * undefined.
 */
function checkAlike(expression: Binary, left: Type, right: Type): void {
  if (left === right) return;
  const types = [left, right];
  if (types.includes('dynamic') && !types.includes('undefined')) return;
  refuse(expression, mismatchError(expression, left, right));
}

function checkBoth(accepted: readonly Type[], expression: Binary, left: Type, right: Type): void {
  check(accepted, expression.operator, expression.left, left);
  check(accepted, expression.operator, expression.right, right);
}

function check(accepted: readonly Type[], consumer: string, operand: Expression, type: Type): void {
  if (!accepted.includes(type)) refuse(operand, operandError(consumer, accepted, operand, type));
}

/**
 * Returns the result type of AND or OR. If the left operand is a body value, any right operand is valid.
 * Otherwise the right operand must not be a body value.
 */
function logicalType(expression: Binary, left: Type, right: Type): Type {
  const { operator } = expression;
  check([...TRUTH, 'dynamic'], operator, expression.left, left);
  if (left !== 'dynamic') check(TRUTH, operator, expression.right, right);
  const types = [left, right];
  const nulls = types.filter(type => type === 'null').length;
  if (nulls === 1 && (types.includes('undefined') || (operator === 'AND' && left === 'dynamic'))) {
    refuse(expression, mismatchError(expression, left, right));
  }
  return nulls > (operator === 'AND' ? 0 : 1) ? 'null' : 'boolean';
}
