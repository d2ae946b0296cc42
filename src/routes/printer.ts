import type { Dialect } from './dialect.ts';
import { isDigit } from './syntax/digits.ts';
import { PRECEDENCE } from './syntax/operators.ts';
import { isReserved } from './syntax/reserved.ts';
import { isNameCharacter } from './syntax/skerry/characters.ts';
import { TWIN_CHANGE } from './syntax/twin.ts';
import type {
  BodyPath,
  Expression,
  Literal,
  PathStep,
  RouteTree,
  Sink,
  Source,
  SystemProperty,
  UpstreamRef,
} from './tree.ts';

/** Precedence of unary operators, higher than the precedence of any binary operator. */
const UNARY = 8;

/** Number of segments of `/messages/modules/M/outputs/O`, which is printed without a wildcard. */
const SEGMENTS_WITH_OUTPUT = 5;

/** Syntax that differs between the dialects. */
type Writing = {
  readonly property: (name: string) => string;
  /** Returns the syntax for a system property or body path that no application property can shadow. */
  readonly dollar: (name: string) => string;
  readonly minus: string;
  readonly quote: (text: string) => string;
};

const WRITINGS: Readonly<Record<Dialect, Writing>> = {
  skerry: {
    property: name => (isBareName(name) ? name : `{${name}}`),
    dollar: name => `$${name}`,
    minus: '-',
    quote,
  },
  azure: { property: name => name, dollar: name => `{$${name}}`, minus: '- ', quote: azureQuote },
};

/** Prints a route. If the printed text is parsed, the result is the same tree. */
export function printRoute({ source, condition, sink }: RouteTree, dialect: Dialect = 'skerry'): string {
  const where = condition === undefined ? '' : ` WHERE ${printExpression(condition, dialect)}`;
  return `FROM ${printSource(source)}${where} INTO ${printSink(sink)}`;
}

/** Prints a condition or a part of it with as few brackets as possible. */
export function printExpression(expression: Expression, dialect: Dialect = 'skerry'): string {
  const writing = WRITINGS[dialect];
  const print = (part: Expression): string => {
    switch (part.kind) {
      case 'literal':
        return printLiteral(part.value, writing);
      case 'property':
        return writing.property(part.name);
      case 'system':
      case 'body':
        return writing.dollar(dollarName(part, dialect));
      case 'shadowed':
        return `$${dollarName(part.hidden, dialect)}`;
      case 'twin':
        return `${TWIN_CHANGE}(${printPath(part.path, 'azure').slice(1)})`;
      case 'unary':
        return `${part.operator === 'NOT' ? 'NOT ' : writing.minus}${within(part.operand, UNARY)}`;
      case 'binary': {
        const { operator, left, right } = part;
        const bound = PRECEDENCE[operator];
        return `${within(left, bound)} ${operator} ${within(right, bound + 1)}`;
      }
      case 'call':
        return `${part.name}(${part.operands.map(print).join(', ')})`;
    }
  };
  const within = (part: Expression, minimum: number): string => {
    const binding = part.kind === 'binary' ? PRECEDENCE[part.operator] : UNARY;
    return binding < minimum ? `(${print(part)})` : print(part);
  };
  return print(expression);
}

function dollarName(part: SystemProperty | BodyPath, dialect: Dialect): string {
  return part.kind === 'system' ? part.name : `body${printPath(part.path, dialect)}`;
}

function printLiteral(value: Literal['value'], { quote: quoted }: Writing): string {
  if (typeof value === 'string') return quoted(value);
  return value === Number.POSITIVE_INFINITY ? '1e999' : Object.is(value, -0) ? '-0' : String(value);
}

function printPath(path: readonly PathStep[], dialect: Dialect): string {
  return path.map(step => printStep(step, dialect)).join('');
}

function printStep(step: PathStep, dialect: Dialect): string {
  if (typeof step === 'number') return `[${step}]`;
  if (dialect === 'azure') return `.${step}`;
  const bare = step !== '' && !step.includes('.') && Array.from(step).every(isNameCharacter);
  return bare ? `.${step}` : `[${quote(step)}]`;
}

function printSource(source: Source): string {
  if (source.kind === 'topic') return `topic(${quote(source.filter)})`;
  if (source.kind === 'upstream')
    return source.filter === undefined
      ? printUpstream(source)
      : `${printUpstream(source)}(${quote(source.filter)})`;
  const path = source.segments.map(segment => `/${segment}`).join('');
  const namesOutput = source.segments.length === SEGMENTS_WITH_OUTPUT;
  return namesOutput ? path : `${path}/*`;
}

/** Prints the text of an upstream after FROM or INTO. */
export function printUpstream({ name }: UpstreamRef): string {
  return name === undefined ? '$upstream' : `$upstream/${name}`;
}

/** Prints the text of a sink after INTO. */
export function printSink(sink: Sink): string {
  switch (sink.kind) {
    case 'upstream':
      return printUpstream(sink);
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

/**
 * Quotes a string for the azure dialect. Escapes the letter u after a backslash. Otherwise the azure dialect
 * would read the backslash and the u as an escape sequence.
 */
function azureQuote(text: string): string {
  return quote(text).replace(
    /\\\\([uU])/g,
    (_, letter: string) => `\\\\\\u00${letter === 'u' ? '75' : '55'}`,
  );
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character >= ' ' && character !== '\u007f') return character;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
