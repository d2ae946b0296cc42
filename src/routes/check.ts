import { countComplaint, mismatchComplaint, operandComplaint, orderComplaint } from './complaints.ts';
import { refuse } from './diagnostics.ts';
import { FUNCTIONS, type FunctionRow } from './functions.ts';
import { nearestName } from './nearest.ts';
import type { Binary, Call, Expression, OrderOperator } from './tree.ts';
import { fits, joinTypes, literalType, type Type } from './types.ts';

const TRUTH: readonly Type[] = ['boolean', 'undefined'];
const NUMBER: readonly Type[] = ['number'];
const TEXT: readonly Type[] = ['string'];
const ORDERED: readonly Type[] = ['number', 'string', 'undefined'];

/** Refuses a condition that cannot be true or false, or whose operands do not go together. Throws `RouteError`. */
export function checkCondition(condition: Expression): void {
  want(TRUTH, condition, 'a condition');
}

/** The type of `expression`, whose parts are all checked on the way. */
function typeOf(expression: Expression): Type {
  switch (expression.kind) {
    case 'literal':
      return literalType(expression.value);
    case 'property':
    case 'system':
      return 'string';
    case 'body':
      return 'dynamic';
    case 'unary':
      want(expression.operator === 'NOT' ? TRUTH : NUMBER, expression.operand, expression.operator);
      return expression.operator === 'NOT' ? 'boolean' : 'number';
    case 'binary':
      return binaryType(expression);
    case 'call':
      return callType(expression);
  }
}

function binaryType(expression: Binary): Type {
  const { operator } = expression;
  switch (operator) {
    case '??':
      return defaultType(expression);
    case 'AND':
    case 'OR':
      return bothWant(TRUTH, expression, 'boolean');
    case '||':
      return bothWant(TEXT, expression, 'string');
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return bothWant(NUMBER, expression, 'number');
    case '=':
    case '!=':
      checkComparable(expression);
      return 'boolean';
    case '<':
    case '<=':
    case '>':
    case '>=':
      checkOrdered(expression, operator);
      return 'boolean';
  }
}

function bothWant(accepted: readonly Type[], { operator, left, right }: Binary, result: Type): Type {
  want(accepted, left, operator);
  want(accepted, right, operator);
  return result;
}

function want(accepted: readonly Type[], operand: Expression, taker: string): void {
  const type = typeOf(operand);
  if (!fits(type, accepted)) refuse(operand, operandComplaint(taker, accepted, operand, type));
}

function defaultType(expression: Binary): Type {
  const left = typeOf(expression.left);
  const right = typeOf(expression.right);
  const joined = joinTypes(left, right);
  return joined ?? refuse(expression, mismatchComplaint(expression, left, right));
}

function checkComparable(expression: Binary): readonly [Type, Type] {
  const left = typeOf(expression.left);
  const right = typeOf(expression.right);
  const open = left === 'undefined' || right === 'undefined' || right === 'dynamic';
  if (!open && !fits(left, [right])) refuse(expression, mismatchComplaint(expression, left, right));
  return [left, right];
}

function checkOrdered(expression: Binary, operator: OrderOperator): void {
  const [left, right] = checkComparable(expression);
  if (!fits(left, ORDERED)) refuse(expression.left, orderComplaint(operator, expression.left, left));
  if (!fits(right, ORDERED)) refuse(expression.right, orderComplaint(operator, expression.right, right));
}

function callType(call: Call): Type {
  const row = FUNCTIONS.get(call.name);
  if (row === undefined) {
    const name = { start: call.start, end: call.start + call.name.length };
    const nearest = nearestName(call.name, FUNCTIONS.keys());
    return refuse(name, `${call.name} is not a function`, { nearest });
  }
  checkCount(call, row);
  for (const [index, operand] of call.operands.entries()) {
    const accepted = row.parameters[Math.min(index, row.parameters.length - 1)];
    if (accepted !== undefined) want(accepted, operand, call.name);
  }
  return row.result;
}

function checkCount(call: Call, { parameters, optional, repeats }: FunctionRow): void {
  const least = parameters.length - optional;
  const most = repeats ? Number.POSITIVE_INFINITY : parameters.length;
  const given = call.operands.length;
  if (given < least || given > most) refuse(call, countComplaint(call.name, least, most, given));
}
