import { parseInputAddress, parseSinkTopic, parseSourceFilter, parseSourcePath } from './address.ts';
import { parseExpression } from './condition.ts';
import { type Cursor, createCursor, refuseToken } from './cursor.ts';
import { refuse } from './diagnostics.ts';
import type { Token } from './lexer.ts';
import type { Expression, RouteTree, Sink, Source } from './tree.ts';

const SOURCES = 'a source such as /messages/* or topic("sensors/+/temp")';
const SINKS = '$upstream, BrokeredEndpoint("/modules/<module>/inputs/<input>") or topic("alerts/hot")';

/** The tree of a route: `[SELECT *] FROM source [WHERE condition] INTO sink`. Throws `RouteError` only. */
export function parseRoute(text: string): RouteTree {
  const cursor = createCursor(text);
  if (cursor.atKeyword('SELECT')) {
    cursor.next();
    cursor.expectSymbol('*');
  }
  cursor.expectKeyword('FROM');
  const source = parseSource(cursor);
  const condition = parseCondition(cursor);
  if (!cursor.atKeyword('INTO')) refuseBeforeSink(cursor.peek(), condition);
  cursor.next();
  const sink = parseSink(cursor);
  const rest = cursor.peek();
  if (rest.kind !== 'end') refuse(rest, 'nothing may stand behind the sink; a condition stands before INTO');
  return { source, condition, sink };
}

function parseSource(cursor: Cursor): Source {
  const path = cursor.source();
  if (path?.kind === 'source') return parseSourcePath(path.path, path.start);
  const token = cursor.peek();
  if (!cursor.atKeyword('TOPIC')) return refuseToken(token, SOURCES, ['topic']);
  cursor.next();
  const filter = parseStringInBrackets(cursor);
  return parseSourceFilter(filter.value, filter);
}

function parseCondition(cursor: Cursor): Expression | undefined {
  if (!cursor.atKeyword('WHERE')) return undefined;
  cursor.next();
  return parseExpression(cursor);
}

function refuseBeforeSink(token: Token, condition: Expression | undefined): never {
  if (condition === undefined) return refuseToken(token, 'WHERE or INTO', ['WHERE', 'INTO']);
  return refuseToken(token, 'an operator, or INTO and a sink', ['AND', 'OR', 'INTO']);
}

function parseSink(cursor: Cursor): Sink {
  const token = cursor.peek();
  if (token.kind === 'system' && token.name.toLowerCase() === 'upstream') {
    cursor.next();
    return { kind: 'upstream' };
  }
  if (cursor.atKeyword('BROKEREDENDPOINT')) {
    cursor.next();
    const address = parseStringInBrackets(cursor);
    return parseInputAddress(address.value, address);
  }
  if (cursor.atKeyword('TOPIC')) {
    cursor.next();
    const topic = parseStringInBrackets(cursor);
    return parseSinkTopic(topic.value, topic);
  }
  return refuseToken(token, SINKS, ['$upstream', 'BrokeredEndpoint', 'topic']);
}

function parseStringInBrackets(cursor: Cursor): Extract<Token, { kind: 'string' }> {
  cursor.expectSymbol('(');
  const token = cursor.peek();
  if (token.kind !== 'string') return refuseToken(token, 'a string in quotes');
  cursor.next();
  cursor.expectSymbol(')');
  return token;
}
