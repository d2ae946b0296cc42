import type { Subject } from '../../../src/routes/subject.ts';
import type { BinaryOperator, Expression, PathStep } from '../../../src/routes/tree.ts';
import { call } from './functions.ts';
import { type Any, bool, concat, number, orderOf, REFUSED, refuse, type Typed, widened } from './values.ts';

/**
 * Evaluates an azure condition with typed values. Returns `refused` if the compiler must refuse the
 * condition.
 */
export function azureVerdict(condition: Expression, subject: Subject): string {
  try {
    const { type, value } = walk(condition, subject);
    if (type === 'null') return 'false';
    if (type === 'boolean') return String(value);
    return type === 'any' && value?.kind === 'boolean' ? String(value.of) : 'undefined';
  } catch (thrown) {
    if (thrown === REFUSED) return 'refused';
    throw thrown;
  }
}

function walk(expression: Expression, subject: Subject): Typed {
  switch (expression.kind) {
    case 'literal':
      return literal(expression.value);
    case 'property':
      return { type: 'string', value: property(expression.name, subject) };
    case 'system':
      return { type: 'string', value: subject.system(expression.name) };
    case 'body':
      return { type: 'any', value: found(bodyOf(subject), expression.path) };
    case 'shadowed': {
      const text = property(expression.name, subject);
      const hidden = walk(expression.hidden, subject);
      if (text === undefined) return hidden;
      return hidden.type === 'any'
        ? { type: 'any', value: { kind: 'string', of: text } }
        : { type: 'string', value: text };
    }
    case 'twin': {
      const body = bodyOf(subject);
      return bool(body === undefined ? undefined : reach(body, expression.path) !== undefined);
    }
    case 'unary':
      return unary(expression.operator, walk(expression.operand, subject));
    case 'binary':
      return binary(expression.operator, walk(expression.left, subject), walk(expression.right, subject));
    case 'call':
      return call(
        expression,
        expression.operands.map(operand => walk(operand, subject)),
      );
  }
}

function literal(value: number | string | boolean | null | undefined): Typed {
  if (value === null) return { type: 'null', value: undefined };
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return { type: 'string', value };
  return typeof value === 'boolean' ? bool(value) : { type: 'undefined', value: undefined };
}

function property(name: string, { properties }: Subject): string | null | undefined {
  let text: string | null | undefined;
  for (let at = 0; at < properties.length; at += 2) {
    if (properties[at]?.toLowerCase() === name.toLowerCase()) text = properties[at + 1];
  }
  return text;
}

function bodyOf(subject: Subject): unknown {
  const encodings = ['utf-8', 'utf-16', 'utf-32'];
  const json = subject.system('contentType')?.toLowerCase() === 'application/json';
  const known = encodings.includes(subject.system('contentEncoding')?.toLowerCase() ?? '');
  const body = subject.body();
  const object = typeof body === 'object' && body !== null && !Array.isArray(body);
  return json && known && object ? body : undefined;
}

function reach(body: unknown, path: readonly PathStep[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value) !== (typeof step === 'number')) return undefined;
    return Object.entries(value).find(([key]) => key === String(step))?.[1];
  }, body);
}

function found(body: unknown, path: readonly PathStep[]): Any {
  if (body === undefined) return undefined;
  const value = reach(body, path);
  if (value === undefined) return { kind: 'null', missing: true };
  if (value === null) return { kind: 'null', missing: false };
  if (typeof value === 'boolean') return { kind: 'boolean', of: value };
  if (typeof value === 'number') return { kind: 'number', of: value };
  if (typeof value !== 'string' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return undefined;
  return { kind: 'string', of: value };
}

function unary(operator: string, operand: Typed): Typed {
  if (operator === '-') {
    if (operand.type !== 'number') return refuse();
    return number(operand.value === undefined ? undefined : -operand.value);
  }
  if (operand.type === 'null') return bool(true);
  if (operand.type === 'boolean') return bool(operand.value === undefined ? undefined : !operand.value);
  if (operand.type !== 'any') return refuse();
  return bool(operand.value?.kind === 'boolean' ? !operand.value.of : undefined);
}

function binary(operator: BinaryOperator, left: Typed, right: Typed): Typed {
  switch (operator) {
    case 'AND':
    case 'OR':
      return logic(operator === 'OR', left, right);
    case '??':
      return fallback(left, right);
    case '||':
      return concat([left, right]);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right);
    default:
      return comparison(operator, left, right);
  }
}

function logic(decisive: boolean, left: Typed, right: Typed): Typed {
  const plain = (typed: Typed): boolean => ['boolean', 'null', 'undefined'].includes(typed.type);
  if (left.type === 'any') {
    if (right.type === 'null' && !decisive) return refuse();
    const [one, other] = [left.value, widened(right)];
    if (one?.kind !== 'boolean' || other?.kind !== 'boolean') return bool(undefined);
    return bool(decisive ? one.of || other.of : one.of && other.of);
  }
  if (!plain(left) || !plain(right)) return refuse();
  const types = [left.type, right.type];
  if (types.includes('null')) {
    if (types.includes('undefined')) return refuse();
    if (!decisive || left.type === right.type) return { type: 'null', value: undefined };
    return left.type === 'null' ? right : left;
  }
  const values = [left.value, right.value];
  if (values.includes(decisive)) return bool(decisive);
  return bool(values.includes(undefined) ? undefined : !decisive);
}

function fallback(left: Typed, right: Typed): Typed {
  alike(left, right);
  if (left.type === 'any' || right.type === 'any') {
    return { type: 'any', value: widened(left) === undefined ? widened(right) : widened(left) };
  }
  return left.type === 'null' || left.value !== undefined ? left : right;
}

function alike(left: Typed, right: Typed): void {
  const types = [left.type, right.type];
  if (left.type === right.type || (types.includes('any') && !types.includes('undefined'))) return;
  refuse();
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: Typed, right: Typed): Typed {
  const numbers = [left, right].map(typed => {
    if (typed.type === 'number') return typed.value;
    if (typed.type !== 'any' || operator === '%') return refuse();
    return typed.value?.kind === 'number' ? typed.value.of : undefined;
  });
  const [one, other] = numbers;
  const value = one === undefined || other === undefined ? undefined : computed(operator, one, other);
  if (left.type === 'number' && right.type === 'number') return number(value);
  return { type: 'any', value: value === undefined ? undefined : { kind: 'number', of: value } };
}

function computed(operator: string, left: number, right: number): number {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  return operator === '/' ? left / right : left % right;
}

function comparison(operator: string, left: Typed, right: Typed): Typed {
  alike(left, right);
  const dynamic = left.type === 'any' || right.type === 'any';
  // A comparison with a null text is undefined. Between body values a null text is the least.
  if (!dynamic && [left, right].some(({ type, value }) => type === 'string' && value === null))
    return bool(undefined);
  const [one, other] = [widened(left), widened(right)];
  if (one === undefined || other === undefined) return bool(undefined);
  const order = orderOf(one, other);
  if (operator === '=') return bool(order === 0);
  if (operator === '!=') return bool(order !== 0);
  if (order === 0) return bool(operator.endsWith('='));
  return bool(operator.startsWith(order < 0 ? '<' : '>'));
}
