import type { Subject } from '../../../src/routes/subject.ts';
import type { BinaryOperator, Expression, PathStep } from '../../../src/routes/tree.ts';

const NUMERIC = new Set(['abs', 'ceiling', 'exp', 'floor', 'power', 'sign', 'sqrt', 'square']);

/**
 * Evaluates a condition by a walk over its tree, without types and shortcuts. The compiled function must give
 * the same result.
 */
export function evaluate(expression: Expression, subject: Subject): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'property':
      return textOf(subject.properties, expression.name);
    case 'system':
      return subject.system(expression.name) ?? undefined;
    case 'shadowed':
      return evaluate(expression.hidden, subject);
    case 'twin': {
      const body = subject.body();
      return body === undefined ? undefined : expression.path.reduce(reach, body) !== undefined;
    }
    case 'body':
      return defined(expression.path.reduce(reach, subject.body()));
    case 'unary': {
      const value = evaluate(expression.operand, subject);
      if (expression.operator === 'NOT') return typeof value === 'boolean' ? !value : undefined;
      return typeof value === 'number' ? -value : undefined;
    }
    case 'binary':
      return binary(
        expression.operator,
        evaluate(expression.left, subject),
        evaluate(expression.right, subject),
      );
    case 'call':
      return call(
        expression.name,
        expression.operands.map(operand => evaluate(operand, subject)),
      );
  }
}

function textOf(properties: readonly (string | null)[], name: string): string | undefined {
  const pairs = properties.flatMap((text, at) => (at % 2 === 0 && text === name ? [properties[at + 1]] : []));
  return pairs.at(-1) ?? undefined;
}

function reach(value: unknown, step: PathStep): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value) !== (typeof step === 'number')) return undefined;
  return new Map<unknown, unknown>(Object.entries(value)).get(String(step));
}

function defined(value: unknown): unknown {
  return Number.isNaN(value) ? undefined : value;
}

function binary(operator: BinaryOperator, left: unknown, right: unknown): unknown {
  switch (operator) {
    case '??':
      return left === undefined || left === null ? right : left;
    case 'AND':
      if (left === false || right === false) return false;
      return left === true && right === true ? true : undefined;
    case 'OR':
      if (left === true || right === true) return true;
      return left === false && right === false ? false : undefined;
    case '=':
      return equal(left, right);
    case '!=': {
      const same = equal(left, right);
      return same === undefined ? undefined : !same;
    }
    case '||':
      return typeof left === 'string' && typeof right === 'string' ? left + right : undefined;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(operator, left, right);
    default:
      return typeof left === 'number' && typeof right === 'number'
        ? defined(computed(operator, left, right))
        : undefined;
  }
}

function equal(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  const structures = [left, right].filter(value => typeof value === 'object' && value !== null);
  return structures.length === 2 ? undefined : left === right;
}

function ordered(operator: string, left: unknown, right: unknown): boolean | undefined {
  const numbers = typeof left === 'number' && typeof right === 'number';
  const texts = typeof left === 'string' && typeof right === 'string';
  if (!numbers && !texts) return undefined;
  if (left === right) return operator === '<=' || operator === '>=';
  return operator.startsWith(left < right ? '<' : '>');
}

function computed(operator: string, left: number, right: number): number {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  return operator === '/' ? left / right : left % right;
}

function call(name: string, values: readonly unknown[]): unknown {
  const [first, second, third] = values;
  if (name.startsWith('is_')) return testOf(name, first);
  if (name === 'as_number') return asNumber(first);
  if (name === 'concat')
    return values.every(value => typeof value === 'string') ? values.join('') : undefined;
  if (NUMERIC.has(name))
    return typeof first === 'number' ? defined(ofNumber(name, first, second)) : undefined;
  if (typeof first !== 'string') return undefined;
  if (name === 'substring') return substring(first, second, third, values.length);
  if (name === 'length') return first.length;
  if (name === 'lower') return first.toLowerCase();
  if (name === 'upper') return first.toUpperCase();
  if (typeof second !== 'string') return undefined;
  if (name === 'index_of') return first.indexOf(second);
  if (name === 'contains') return first.split(second).length > 1 || second === '';
  if (name === 'starts_with') return first.slice(0, second.length) === second;
  if (name === 'ends_with')
    return first.length >= second.length && first.slice(first.length - second.length) === second;
  throw new Error(`no meaning for ${name}`);
}

function testOf(name: string, value: unknown): boolean {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (name === 'is_defined') return type !== 'undefined';
  if (name === 'is_bool') return type === 'boolean';
  if (name === 'is_number') return Number.isFinite(value);
  if (name === 'is_primitive') return !['array', 'object', 'undefined'].includes(type);
  return name === `is_${type}`;
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const plain = /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(value.trim());
  return plain ? Number(value) : undefined;
}

function ofNumber(name: string, value: number, second: unknown): number | undefined {
  switch (name) {
    case 'abs':
      return value < 0 ? -value : value + 0;
    case 'ceiling':
      return Math.ceil(value);
    case 'exp':
      return Math.exp(value);
    case 'floor':
      return Math.floor(value);
    case 'power':
      if (typeof second !== 'number') return undefined;
      return Math.abs(value) === 1 && Math.abs(second) === Number.POSITIVE_INFINITY ? 1 : value ** second;
    case 'sign':
      return Math.sign(value);
    case 'sqrt':
      return Math.sqrt(value);
    case 'square':
      return value * value;
    default:
      return undefined;
  }
}

function substring(text: string, from: unknown, count: unknown, given: number): string | undefined {
  if (typeof from !== 'number' || from < 0 || from > text.length) return undefined;
  const start = Math.floor(from);
  if (given === 2) return text.slice(start);
  if (typeof count !== 'number' || count < 0 || from === text.length) return undefined;
  return from + count > text.length ? undefined : text.slice(start, start + Math.floor(count));
}
