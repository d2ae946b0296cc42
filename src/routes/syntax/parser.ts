import { refuse } from '../diagnostics.ts';
import type { Dialect } from '../dialect.ts';
import type { Expression, RouteTree, Sink, Source, TextSpan } from '../tree.ts';
import { azureInput, azureSource } from './azure/address.ts';
import { scanAzureToken } from './azure/lexer.ts';
import { azureOperand } from './azure/operand.ts';
import { parseExpression, type ReadOperand } from './condition.ts';
import { type Cursor, createCursor, refuseToken } from './cursor.ts';
import { parseInputAddress, parseSinkTopic, parseSourceFilter, parseSourcePath } from './skerry/address.ts';
import { scanSkerryToken } from './skerry/lexer.ts';
import { skerryOperand } from './skerry/operand.ts';
import type { ScanToken, Token } from './token.ts';

const SOURCES = 'a source such as /messages/*, topic("sensors/+/temp") or $upstream';
const SINKS = '$upstream, BrokeredEndpoint("/modules/<module>/inputs/<input>") or topic("alerts/hot")';

/** Error text for a route from an upstream to the same upstream. */
export const GOES_ROUND =
  'messages FROM an upstream cannot go back INTO the same one, because that is a loop; let a module answer';

type Text = Token & { readonly kind: 'string' };

/** Syntax that differs between the dialects. */
type Reading = {
  readonly scanToken: ScanToken;
  readonly operand: ReadOperand;
  readonly path: (token: Token & { readonly kind: 'source' }) => Source;
  /** Parses the address in `BrokeredEndpoint("address")`. */
  readonly input: (token: Text, text: string) => Sink;
  /**
   * True if the dialect supports `topic("...")` as source and sink, `$upstream` as source, and names of
   * upstreams.
   */
  readonly topics: boolean;
  /** True if text after the sink is ignored. */
  readonly lax: boolean;
};

const READINGS: Readonly<Record<Dialect, Reading>> = {
  skerry: {
    scanToken: scanSkerryToken,
    operand: skerryOperand,
    path: ({ path, start }) => parseSourcePath(path, start),
    input: token => parseInputAddress(token.value, token),
    topics: true,
    lax: false,
  },
  azure: {
    scanToken: scanAzureToken,
    operand: azureOperand,
    path: azureSource,
    input: (token, text) => azureInput(text.slice(token.start, token.end), token),
    topics: false,
    lax: true,
  },
};

/** Syntax tree of a route, and the ignored text after its sink. */
export type Parsed = { readonly tree: RouteTree; readonly ignored: TextSpan | undefined };

/** Parses `[SELECT *] FROM source [WHERE condition] INTO sink`. Throws only `RouteError`. */
export function parseRoute(text: string, dialect: Dialect): Parsed {
  const reading = READINGS[dialect];
  const cursor = createCursor(text, reading.scanToken);
  if (cursor.atKeyword('SELECT')) {
    cursor.next();
    cursor.expectSymbol('*');
  }
  cursor.expectKeyword('FROM');
  const source = parseSource(cursor, reading);
  const condition = parseCondition(cursor, reading, source);
  if (!cursor.atKeyword('INTO')) refuseBeforeSink(cursor.peek(), condition);
  cursor.next();
  const { start } = cursor.peek();
  const { sink, end } = parseSink(cursor, reading, text);
  if (goesRound(source, sink)) refuse({ start, end }, GOES_ROUND);
  const tree = { source, condition, sink };
  if (reading.lax) return { tree, ignored: restOf(text, end) };
  const rest = cursor.peek();
  if (rest.kind !== 'end') refuse(rest, 'unexpected text after the sink; a condition goes before INTO');
  return { tree, ignored: undefined };
}

function parseSource(cursor: Cursor, { path, topics }: Reading): Source {
  const written = cursor.source();
  if (written?.kind === 'source') return path(written);
  const token = cursor.peek();
  if (topics && cursor.atKeyword('TOPIC')) {
    cursor.next();
    return { kind: 'topic', filter: parseFilter(cursor) };
  }
  if (topics && isUpstream(token)) {
    cursor.next();
    const name = cursor.upstreamName();
    return { kind: 'upstream', name, filter: cursor.atSymbol('(') ? parseFilter(cursor) : undefined };
  }
  return refuseToken(token, SOURCES, topics ? ['topic', '$upstream'] : []);
}

function parseFilter(cursor: Cursor): string {
  const filter = parseStringInBrackets(cursor);
  return parseSourceFilter(filter.value, filter);
}

/** Returns true if the route would send messages of an upstream back to the same upstream. */
export function goesRound(source: Source, sink: Sink): boolean {
  return source.kind === 'upstream' && sink.kind === 'upstream' && source.name === sink.name;
}

function isUpstream(token: Token): boolean {
  return token.kind === 'system' && token.name.toLowerCase() === 'upstream';
}

function parseCondition(cursor: Cursor, { operand }: Reading, source: Source): Expression | undefined {
  if (!cursor.atKeyword('WHERE')) return undefined;
  cursor.next();
  return parseExpression(cursor, operand, hasTwinChanges(source));
}

function hasTwinChanges(source: Source): boolean {
  if (source.kind !== 'path' || source.segments.length !== 1) return false;
  return source.segments[0]?.toLowerCase() === 'twinchangenotifications';
}

function refuseBeforeSink(token: Token, condition: Expression | undefined): never {
  if (condition === undefined) return refuseToken(token, 'WHERE or INTO', ['WHERE', 'INTO']);
  return refuseToken(token, 'an operator, or INTO and a sink', ['AND', 'OR', 'INTO']);
}

function parseSink(
  cursor: Cursor,
  { input, topics }: Reading,
  text: string,
): { readonly sink: Sink; readonly end: number } {
  const token = cursor.peek();
  if (isUpstream(token)) {
    cursor.next();
    const name = topics ? cursor.upstreamName() : undefined;
    return { sink: { kind: 'upstream', name }, end: token.end };
  }
  if (cursor.atKeyword('BROKEREDENDPOINT')) {
    cursor.next();
    const address = parseStringInBrackets(cursor);
    return { sink: input(address, text), end: address.close };
  }
  if (topics && cursor.atKeyword('TOPIC')) {
    cursor.next();
    const topic = parseStringInBrackets(cursor);
    return { sink: parseSinkTopic(topic.value, topic), end: topic.close };
  }
  return refuseToken(token, SINKS, ['$upstream', 'BrokeredEndpoint', 'topic']);
}

function parseStringInBrackets(cursor: Cursor): Text & { readonly close: number } {
  cursor.expectSymbol('(');
  const token = cursor.peek();
  if (token.kind !== 'string') return refuseToken(token, 'a string in quotes');
  cursor.next();
  const { end } = cursor.expectSymbol(')');
  return { ...token, close: end };
}

function restOf(text: string, end: number): TextSpan | undefined {
  const rest = text.slice(end);
  const blanks = rest.length - rest.trimStart().length;
  return rest.trim() === '' ? undefined : { start: end + blanks, end: text.trimEnd().length };
}
