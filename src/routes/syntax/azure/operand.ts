import { SYSTEM_PROPERTIES } from '../../system.ts';
import type { BodyPath, Expression, SystemProperty, TextSpan } from '../../tree.ts';
import { type Cursor, refuseToken } from '../cursor.ts';
import { parsePath } from '../jsonpath.ts';
import { isKeyword, LITERALS } from '../reserved.ts';

const VALUES = 'a value: a property, $body., a number, a string, a function';
const BODY = 'body.';

/** Parses a literal, property or body path. */
export function azureOperand(cursor: Cursor): Expression {
  if (cursor.atSymbol('{')) return unshadowed(cursor);
  const token = cursor.next();
  const span: TextSpan = { start: token.start, end: token.end };
  switch (token.kind) {
    case 'number':
    case 'string':
      return { kind: 'literal', value: token.value, ...span };
    case 'system':
      return dollarOperand(token.name, span);
    case 'word':
      if (isKeyword(token.word)) return refuseToken(token, VALUES);
      if (LITERALS.has(token.word)) return { kind: 'literal', value: LITERALS.get(token.word), ...span };
      return { kind: 'property', name: token.word, ...span };
    default:
      return refuseToken(token, VALUES);
  }
}

/**
 * Parses `{$name}`. The braces select the system property or body path even if an application property has
 * the same name.
 */
function unshadowed(cursor: Cursor): Expression {
  const open = cursor.expectSymbol('{');
  const token = cursor.next();
  if (token.kind !== 'system')
    return refuseToken(token, 'the name of a system property, as in {$contentType}');
  const close = cursor.expectSymbol('}');
  return hiddenBy(token.name, { start: open.start, end: close.end });
}

/**
 * Parses `$name`. A name with brackets cannot be an application property. Such a name is a body path or has
 * the value undefined.
 */
function dollarOperand(name: string, span: TextSpan): Expression {
  if (name.includes('[') || name.includes(']')) {
    return isBodyPath(name) ? hiddenBy(name, span) : { kind: 'literal', value: undefined, ...span };
  }
  return { kind: 'shadowed', name: `$${name}`, hidden: hiddenBy(name, span), ...span };
}

function hiddenBy(name: string, span: TextSpan): SystemProperty | BodyPath {
  if (isBodyPath(name)) return { kind: 'body', path: parsePath(name.slice(BODY.length), span), ...span };
  const lowerName = name.toLowerCase();
  const known = Array.from(SYSTEM_PROPERTIES.azure).find(one => one.toLowerCase() === lowerName);
  return { kind: 'system', name: known ?? name, ...span };
}

function isBodyPath(name: string): boolean {
  return name.slice(0, BODY.length).toLowerCase() === BODY;
}
