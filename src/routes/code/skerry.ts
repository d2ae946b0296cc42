import type { BinaryOperator, PathStep } from '../tree.ts';
import type { Type } from '../types/types.ts';
import { CALLS, NUMBER_OF, PART, TAIL } from './calls.ts';
import {
  type Comparison,
  compareDefined,
  compareNumbers,
  compareOrder,
  compareWithKnown,
  isAbsent,
  isComparison,
  knownSideOf,
  mirrored,
} from './comparison.ts';
import { as } from './conversion.ts';
import { decidedBy, negated } from './logic.ts';
import { numberOfAny } from './numbers.ts';
import type { Known, Part, Semantics } from './semantics.ts';
import { property } from './texts.ts';
import { element, isObject, isPlainKey, isStructure, member, order, same } from './values.ts';
import type { Writer } from './writer.ts';

/**
 * Semantics of the default dialect. A missing value is undefined. An operation with an undefined operand has
 * an undefined result. Exceptions are AND, OR, `??` and type tests.
 */
export const SKERRY: Semantics = {
  property: (name, writer) => `${writer.data(property)}(m.properties, ${writer.data(name)})`,
  system: (name, writer) => `(m.system(${writer.data(name)}) ?? undefined)`,
  body: bodyCode,
  shadowed: (_name, hidden) => hidden.code,
  twin: (path, writer) => {
    const value = writer.temporary();
    const isMissing = `(${value} = ${rootCode(writer)}) === undefined ? undefined`;
    return `(${isMissing} : ${stepsCode(path, value, writer)} !== undefined)`;
  },
  unary: (operator, operand, writer) =>
    operator === 'NOT'
      ? negated(as('boolean', operand, writer), writer)
      : `(- ${as('number', operand, writer)})`,
  binary: binaryCode,
  call: callCode,
  knownCall: (name, types) => knownTest(name, types[0]),
  knownBinary,
  verdict: (part, writer) => as('boolean', part, writer),
};

function rootCode(writer: Writer): string {
  return writer.once('body', () => 'm.body()');
}

function bodyCode(path: readonly PathStep[], writer: Writer): string {
  const value = writer.temporary();
  const code = stepsCode(path, rootCode(writer), writer);
  return `((${value} = ${code}) === ${value} ? ${value} : undefined)`;
}

function stepsCode(path: readonly PathStep[], root: string, writer: Writer): string {
  let code = root;
  for (const step of path) {
    const name = writer.data(step);
    if (typeof step === 'number') code = `${writer.data(element)}(${code}, ${name})`;
    else if (isPlainKey(step)) code = `${code}?.[${name}]`;
    else code = `${writer.data(member)}(${code}, ${name})`;
  }
  return code;
}

/**
 * Returns the result of an operator if the result is constant. AND and OR are constant if one constant
 * operand decides the result.
 */
function knownBinary(operator: BinaryOperator, left: Part, right: Part): Known | undefined {
  const decisive = operator === 'AND' ? false : operator === 'OR' ? true : undefined;
  const decided = [left, right].some(({ known }) => known !== undefined && known.value === decisive);
  if (decisive !== undefined && decided) return { value: decisive };
  if (left.type === 'null' && right.type === 'null' && operator !== '??') return { value: operator === '=' };
  const absent = isAbsent(left) || isAbsent(right);
  return isComparison(operator) && absent ? { value: undefined } : undefined;
}

function binaryCode(operator: BinaryOperator, left: Part, right: Part, type: Type, writer: Writer): string {
  const boolean = (part: Part): string => as('boolean', part, writer);
  if (isComparison(operator)) return comparisonCode(operator, left, right, writer);
  switch (operator) {
    case 'AND':
    case 'OR':
      return decidedBy(operator === 'OR', left, right, boolean, writer);
    case '??':
      return defaultCode(left, right, type, writer);
    case '||':
      return callCode('concat', [left, right], writer);
    default:
      return `(${as('number', left, writer)} ${operator} ${as('number', right, writer)})`;
  }
}

function comparisonCode(operator: Comparison, left: Part, right: Part, writer: Writer): string {
  const types = [left.type, right.type];
  const dynamic = types.includes('dynamic');
  const equality = operator === '=' || operator === '!=';
  if (types.includes('number') && !(dynamic && equality)) {
    const known = knownSideOf(left, right);
    return compareNumbers(operator, as('number', left, writer), as('number', right, writer), known, writer);
  }
  if (dynamic && equality) return equalityOfAny(operator, left, right, writer);
  if (left.type === 'dynamic' && right.type === 'dynamic') {
    return compareOrder(operator, `${writer.data(order)}(${left.code}, ${right.code})`, writer);
  }
  const form = left.type === 'boolean' ? 'boolean' : 'string';
  const [one, other] = [as(form, left, writer), as(form, right, writer)];
  if (right.known !== undefined) return compareWithKnown(operator, one, other, writer);
  if (left.known !== undefined) return compareWithKnown(mirrored(operator), other, one, writer);
  return compareDefined(operator, one, other, writer);
}

/**
 * Generates the code of = or != for body values. Values of different types are unequal. A null is compared
 * like any other value.
 */
function equalityOfAny(operator: Comparison, left: Part, right: Part, writer: Writer): string {
  const value = writer.temporary();
  const known = right.known === undefined ? left : right;
  if (known.known !== undefined) {
    const variable = known === right ? left : right;
    const test = operator === '=' ? '===' : '!==';
    return `((${value} = ${variable.code}) === undefined ? undefined : ${value} ${test} ${as('dynamic', known, writer)})`;
  }
  const equal = `${writer.data(same)}(${as('dynamic', left, writer)}, ${as('dynamic', right, writer)})`;
  return operator === '=' ? equal : negated(equal, writer);
}

/**
 * Generates the code of `??`: the left operand, or the right operand if the left operand is undefined or
 * null.
 */
function defaultCode(left: Part, right: Part, type: Type, writer: Writer): string {
  if (left.type === 'undefined' || left.type === 'null') return right.code;
  if (type !== 'number') {
    const form = type === 'string' || type === 'boolean' ? type : 'dynamic';
    return `(${as(form, left, writer)} ?? ${as(form, right, writer)})`;
  }
  const value = writer.temporary();
  return `((${value} = ${left.code}) === ${value} ? ${value} : ${as('number', right, writer)})`;
}

function callCode(name: string, operands: readonly Part[], writer: Writer): string {
  const [first] = operands;
  if (first === undefined) return 'undefined';
  if (name.startsWith('is_')) return testCode(name, first, writer);
  if (name === 'as_number' && first.type === 'number') return first.code;
  if (name === 'as_number' && first.type === 'dynamic') return `${writer.data(numberOfAny)}(${first.code})`;
  const row =
    name === 'as_number'
      ? NUMBER_OF
      : name === 'substring'
        ? operands.length === 2
          ? TAIL
          : PART
        : CALLS.get(name);
  if (row === undefined) return 'undefined';
  const { forms, compute } = row;
  const values = operands.map((operand, at) =>
    as(forms[Math.min(at, forms.length - 1)] ?? 'dynamic', operand, writer),
  );
  return `${writer.data(compute)}(${values.join(', ')})`;
}

/** Generates the code of a type test. The value of the code is true or false, never undefined. */
function testCode(name: string, { type, code }: Part, writer: Writer): string {
  switch (name) {
    case 'is_defined':
    case 'is_primitive':
      if (type === 'dynamic')
        return name === 'is_defined' ? `(${code} !== undefined)` : primitiveCode(code, writer);
      return type === 'number' ? numberTest(code, writer) : `(${code} != null)`;
    case 'is_null':
      return `(${code} === null)`;
    case 'is_number':
      return `${writer.data(Number.isFinite)}(${code})`;
    case 'is_string':
      return `(typeof ${code} === 'string')`;
    case 'is_array':
      return `${writer.data(Array.isArray)}(${code})`;
    case 'is_object':
      return `${writer.data(isObject)}(${code})`;
    default:
      return `(typeof ${code} === 'boolean')`;
  }
}

function primitiveCode(code: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${code}) !== undefined && !${writer.data(isStructure)}(${value}))`;
}

function numberTest(code: string, writer: Writer): string {
  const value = writer.temporary();
  return `((${value} = ${code}) === ${value})`;
}

/**
 * Operand types, by type test, for which the result of the test depends on the value. For all other types,
 * the result is constant.
 */
const TESTED: Readonly<Record<string, readonly Type[]>> = {
  is_array: ['dynamic'],
  is_bool: ['boolean', 'dynamic'],
  is_boolean: ['boolean', 'dynamic'],
  is_defined: ['number', 'string', 'boolean', 'dynamic'],
  is_null: ['dynamic'],
  is_number: ['number', 'dynamic'],
  is_object: ['dynamic'],
  is_primitive: ['number', 'string', 'boolean', 'dynamic'],
  is_string: ['string', 'dynamic'],
};

function knownTest(name: string, type: Type = 'undefined'): Known | undefined {
  const tested = TESTED[name];
  if (tested === undefined || tested.includes(type)) return undefined;
  return { value: type === 'null' && ['is_null', 'is_defined', 'is_primitive'].includes(name) };
}
