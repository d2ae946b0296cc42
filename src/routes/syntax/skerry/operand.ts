import { closestName } from '../../../core/text/closest-name.ts';
import { refuse } from '../../diagnostics.ts';
import { SYSTEM_PROPERTIES } from '../../system.ts';
import type { Expression, TextSpan } from '../../tree.ts';
import { type Cursor, refuseToken } from '../cursor.ts';
import { isKeyword, LITERALS } from '../reserved.ts';

const VALUES = 'a value: a property, $body, a number, a string, a function';

/** Parses a literal, property or body path. */
export function skerryOperand(cursor: Cursor): Expression {
  const token = cursor.next();
  const span: TextSpan = { start: token.start, end: token.end };
  switch (token.kind) {
    case 'number':
    case 'string':
      return { kind: 'literal', value: token.value, ...span };
    case 'braces':
      return { kind: 'property', name: token.name, ...span };
    case 'body':
      return { kind: 'body', path: token.path, ...span };
    case 'system':
      return systemProperty(token.name, span);
    case 'word':
      if (isKeyword(token.word)) {
        return refuseToken(token, `a value; a property of that name is written {${token.word}}`);
      }
      return wordOperand(token.word, span);
    case 'symbol':
    case 'source':
    case 'end':
      return refuseToken(token, VALUES);
  }
}

function systemProperty(name: string, span: TextSpan): Expression {
  if (SYSTEM_PROPERTIES.skerry.has(name)) return { kind: 'system', name, ...span };
  const found = closestName(name, [...SYSTEM_PROPERTIES.skerry, 'body']);
  const sentence = `$${name} is not a system property; an application property of that name is {$${name}}`;
  return refuse(span, sentence, { nearest: found === undefined ? undefined : `$${found}` });
}

/**
 * Parses a literal or a property. Refuses a literal in the wrong case. Otherwise such a literal would be
 * parsed as a property that no message has.
 */
function wordOperand(word: string, span: TextSpan): Expression {
  if (LITERALS.has(word)) return { kind: 'literal', value: LITERALS.get(word), ...span };
  const nearest = word.toLowerCase();
  if (LITERALS.has(nearest)) {
    refuse(span, `${word} is written in lower case; a property of that name is {${word}}`, { nearest });
  }
  return { kind: 'property', name: word, ...span };
}
