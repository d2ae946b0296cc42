import type { BinaryOperator } from '../../tree.ts';
import type { Type } from '../../types/types.ts';
import { CALLS, PART, TAIL } from '../calls.ts';
import {
  type Comparison,
  compareDefined,
  compareNumbers,
  compareOrder,
  isAbsent,
  isComparison,
  knownSideOf,
} from '../comparison.ts';
import { as } from '../conversion.ts';
import { decidedBy, negated } from '../logic.ts';
import type { Form, Known, Part, Semantics } from '../semantics.ts';
import { propertyInAnyCase, type Text } from '../texts.ts';
import type { Writer } from '../writer.ts';
import { numberFromAny } from './numerals.ts';
import {
  ARITHMETIC,
  and,
  anyOfText,
  bodyOf,
  includes,
  isBoolean,
  isNull,
  numberOfAny,
  or,
  order,
  textOfAny,
  valueAt,
} from './values.ts';

/** Semantics of the azure dialect: the same results as in Azure IoT Edge. */
export const AZURE: Semantics = {
  property: propertyCode,
  system: (name, writer) => `m.system(${writer.data(name)})`,
  body: (path, writer) => `${writer.data(valueAt)}(${rootCode(writer)}, ${writer.data(path)})`,
  shadowed: (name, hidden, writer) => {
    const value = writer.temporary();
    const text = hidden.type === 'dynamic' ? `${writer.data(anyOfText)}(${value})` : value;
    return `((${value} = ${propertyCode(name, writer)}) !== undefined ? ${text} : ${hidden.code})`;
  },
  twin: (path, writer) => `${writer.data(includes)}(${rootCode(writer)}, ${writer.data(path)})`,
  unary: (operator, operand, writer) => {
    // The operand is the constant null. In Azure IoT Edge, NOT null is true.
    if (operand.type === 'null') return 'true';
    return operator === 'NOT'
      ? negated(as('boolean', operand, writer), writer)
      : `(- ${as('number', operand, writer)})`;
  },
  binary: binaryCode,
  call: callCode,
  knownCall: (name, types) => knownTest(name, types[0]),
  knownBinary,
  verdict: (part, writer) => (part.type === 'null' ? 'false' : as('boolean', part, writer)),
};

function propertyCode(name: string, writer: Writer): string {
  return `${writer.data(propertyInAnyCase)}(m.properties, ${writer.data(name.toLowerCase())})`;
}

function rootCode(writer: Writer): string {
  return writer.once('azure body', () => `${writer.data(bodyOf)}(m)`);
}

/** Generates the code that converts a part of a condition to a body value. */
function anyOf(part: Part, writer: Writer): string {
  return part.type === 'string' ? `${writer.data(anyOfText)}(${part.code})` : as('dynamic', part, writer);
}

function binaryCode(operator: BinaryOperator, left: Part, right: Part, type: Type, writer: Writer): string {
  const dynamic = left.type === 'dynamic' || right.type === 'dynamic';
  if (isComparison(operator)) return comparisonCode(operator, left, right, writer);
  switch (operator) {
    case 'AND':
    case 'OR':
      return logicCode(operator === 'OR', left, right, writer);
    case '??':
      return defaultCode(left, right, dynamic, writer);
    case '||':
      return callCode('concat', [left, right], writer);
    default: {
      if (type !== 'dynamic') return `(${left.code} ${operator} ${right.code})`;
      return `${writer.data(ARITHMETIC[operator])}(${anyOf(left, writer)}, ${anyOf(right, writer)})`;
    }
  }
}

function comparisonCode(operator: Comparison, left: Part, right: Part, writer: Writer): string {
  if (left.type === 'dynamic' || right.type === 'dynamic') {
    const ordered = `${writer.data(order)}(${anyOf(left, writer)}, ${anyOf(right, writer)})`;
    return compareOrder(operator, ordered, writer);
  }
  if (left.type !== 'number') return compareDefined(operator, left.code, right.code, writer);
  return compareNumbers(operator, left.code, right.code, knownSideOf(left, right), writer);
}

function logicCode(decisive: boolean, left: Part, right: Part, writer: Writer): string {
  if (left.type === 'dynamic') {
    return `${writer.data(decisive ? or : and)}(${left.code}, ${anyOf(right, writer)})`;
  }
  // The result of `null OR x` is x. All other combinations of AND and OR with null are constants and need no
  // code.
  if (left.type === 'null') return right.code;
  if (right.type === 'null') return left.code;
  return decidedBy(decisive, left, right, part => as('boolean', part, writer), writer);
}

/**
 * Generates the code of `??`: the left operand, or the right operand if the left operand is undefined. If the
 * left operand is null, the result is null.
 */
function defaultCode(left: Part, right: Part, dynamic: boolean, writer: Writer): string {
  const value = writer.temporary();
  const one = dynamic ? anyOf(left, writer) : left.code;
  const other = dynamic ? anyOf(right, writer) : right.code;
  const defined = !dynamic && left.type === 'number' ? `=== ${value}` : '!== undefined';
  return `((${value} = ${one}) ${defined} ? ${value} : ${other})`;
}

function knownBinary(operator: BinaryOperator, left: Part, right: Part): Known | undefined {
  const decisive = operator === 'AND' ? false : operator === 'OR' ? true : undefined;
  const booleans = left.type === 'boolean' || right.type === 'boolean';
  const plain = ![left, right].some(({ type }) => type === 'dynamic' || type === 'null');
  const decided = [left, right].some(({ known }) => known !== undefined && known.value === decisive);
  if (decisive !== undefined && booleans && plain && decided) return { value: decisive };
  const nulls = [left, right].filter(({ type }) => type === 'null').length;
  if (operator === 'AND' && nulls > 0) return { value: null };
  if (isComparison(operator) && (isAbsent(left) || isAbsent(right))) return { value: undefined };
  if (nulls < 2) return undefined;
  if (operator === 'OR' || operator === '??') return { value: null };
  return { value: operator === '=' || operator === '<=' || operator === '>=' };
}

function callCode(name: string, operands: readonly Part[], writer: Writer): string {
  const [first] = operands;
  if (first === undefined) return 'undefined';
  if (name.startsWith('is_')) return testCode(name, first, writer);
  if (name === 'as_number') return asNumberCode(first, writer);
  const row = name === 'substring' ? (operands.length === 2 ? TAIL : PART) : CALLS.get(name);
  if (row === undefined) return 'undefined';
  const { forms, compute } = row;
  const values = operands.map((operand, at) => {
    const form: Form = forms[Math.min(at, forms.length - 1)] ?? 'dynamic';
    const anyText = form === 'string' && operand.type === 'dynamic';
    return anyText ? `${writer.data(textOfAny)}(${operand.code})` : as(form, operand, writer);
  });
  return `${writer.data(compute)}(${values.join(', ')})`;
}

function asNumberCode({ type, code }: Part, writer: Writer): string {
  if (type === 'number') return code;
  return `${writer.data(type === 'dynamic' ? numberOfAny : numberOfText)}(${code})`;
}

function numberOfText(text: Text): number {
  return typeof text === 'string' ? numberFromAny(text) : Number.NaN;
}

function testCode(name: string, { type, code }: Part, writer: Writer): string {
  const value = writer.temporary();
  switch (name) {
    case 'is_defined':
      return type === 'number' ? `((${value} = ${code}) === ${value})` : `(${code} !== undefined)`;
    case 'is_null':
      return type === 'string' ? `(${code} === null)` : `${writer.data(isNull)}(${code})`;
    case 'is_number':
      return `${writer.data(Number.isFinite)}(${code})`;
    case 'is_string':
      return `(typeof ${code} === 'string')`;
    default:
      return `${writer.data(isBoolean)}(${code})`;
  }
}

/**
 * Operand types, by type test, for which the result of the test depends on the value. For all other types,
 * the result is constant.
 */
const TESTED: Readonly<Record<string, readonly Type[]>> = {
  is_bool: ['boolean', 'dynamic'],
  is_defined: ['number', 'string', 'boolean', 'dynamic'],
  is_null: ['string', 'dynamic'],
  is_number: ['number', 'dynamic'],
  is_string: ['string', 'dynamic'],
};

function knownTest(name: string, type: Type = 'undefined'): Known | undefined {
  const tested = TESTED[name];
  if (tested === undefined || tested.includes(type)) return undefined;
  return { value: type === 'null' && (name === 'is_defined' || name === 'is_null') };
}
