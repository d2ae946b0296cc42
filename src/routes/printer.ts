import { isDigit, isNameCharacter } from './characters.ts';
import { PRECEDENCE } from './operators.ts';
import { isReserved } from './reserved.ts';
import type { Expression, Literal, RouteTree, Sink, Source, Step } from './tree.ts';

/** Tighter than any binary operator. */
const UNARY = 8;

/** `/messages/modules/M/outputs/O`: nothing lies below. */
const SEGMENTS_WITH_OUTPUT = 5;

/** The text of a route: parsed again, it gives the same tree. */
export function printRoute({ source, condition, sink }: RouteTree): string {
  const where = condition === undefined ? '' : ` WHERE ${printExpression(condition)}`;
  return `FROM ${printSource(source)}${where} INTO ${printSink(sink)}`;
}

/** The text of a condition or a part of one, with no more brackets than it needs. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return printLiteral(expression.value);
    case 'property':
      return isBareName(expression.name) ? expression.name : `{${expression.name}}`;
    case 'system':
      return `$${expression.name}`;
    case 'body':
      return `$body${expression.path.map(printStep).join('')}`;
    case 'unary': {
      const operand = printWithin(expression.operand, UNARY);
      return expression.operator === 'NOT' ? `NOT ${operand}` : `-${operand}`;
    }
    case 'binary': {
      const { operator, left, right } = expression;
      const bound = PRECEDENCE[operator];
      return `${printWithin(left, bound)} ${operator} ${printWithin(right, bound + 1)}`;
    }
    case 'call':
      return `${expression.name}(${expression.operands.map(printExpression).join(', ')})`;
  }
}

function printWithin(expression: Expression, minimum: number): string {
  const text = printExpression(expression);
  const binding = expression.kind === 'binary' ? PRECEDENCE[expression.operator] : UNARY;
  return binding < minimum ? `(${text})` : text;
}

function printLiteral(value: Literal['value']): string {
  if (typeof value === 'string') return quote(value);
  return value === Number.POSITIVE_INFINITY ? '1e999' : String(value);
}

function printStep(step: Step): string {
  if (typeof step === 'number') return `[${step}]`;
  const bare = step !== '' && !step.includes('.') && Array.from(step).every(isNameCharacter);
  return bare ? `.${step}` : `[${quote(step)}]`;
}

function printSource(source: Source): string {
  if (source.kind === 'topic') return `topic(${quote(source.filter)})`;
  const path = source.segments.map(segment => `/${segment}`).join('');
  const namesOutput = source.segments.length === SEGMENTS_WITH_OUTPUT;
  return namesOutput ? path : `${path}/*`;
}

/** The text of a sink, as it stands behind INTO. */
export function printSink(sink: Sink): string {
  switch (sink.kind) {
    case 'upstream':
      return '$upstream';
    case 'input':
      return `BrokeredEndpoint(${quote(`/modules/${sink.module}/inputs/${sink.input}`)})`;
    case 'topic':
      return `topic(${quote(sink.topic)})`;
  }
}

function isBareName(name: string): boolean {
  const first = name.charAt(0);
  if (first === '-' || first === '.' || first === '$' || isDigit(first)) return false;
  return !isReserved(name) && Array.from(name).every(isNameCharacter);
}

function quote(text: string): string {
  return `"${Array.from(text, escaped).join('')}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character >= ' ' && character !== '\u007f') return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
