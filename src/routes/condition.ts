import { MAX_NESTING, MAX_PARTS } from '../core/limits.ts';
import { type Cursor, refuseToken } from './cursor.ts';
import { refuse } from './diagnostics.ts';
import type { Token } from './lexer.ts';
import { nearestName } from './nearest.ts';
import { binaryOperator, PRECEDENCE } from './operators.ts';
import { isKeyword, LITERALS } from './reserved.ts';
import { SYSTEM_PROPERTIES } from './system.ts';
import type { BinaryOperator, Expression, Span, UnaryOperator } from './tree.ts';

/** What one condition has used up of the two. */
type Budget = { parts: number; nesting: number };

/** The condition that stands next. Precedence climbing; recursion is bounded by `MAX_NESTING`. */
export function parseExpression(cursor: Cursor): Expression {
  return parseBinary(cursor, { parts: 0, nesting: 0 }, 0);
}

function parseBinary(cursor: Cursor, budget: Budget, minimum: number): Expression {
  let left = parseUnary(cursor, budget);
  for (;;) {
    const operator = operatorAt(cursor.peek());
    if (operator === undefined || PRECEDENCE[operator] < minimum) return left;
    spend(budget, cursor.next());
    const right = parseBinary(cursor, budget, PRECEDENCE[operator] + 1);
    left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
  }
}

function operatorAt(token: Token): BinaryOperator | undefined {
  if (token.kind === 'symbol') return binaryOperator(token.symbol);
  return token.kind === 'word' ? binaryOperator(token.word) : undefined;
}

function parseUnary(cursor: Cursor, budget: Budget): Expression {
  const operator = unaryAt(cursor);
  if (operator === undefined) return parseOperand(cursor, budget);
  const sign = cursor.next();
  spend(budget, sign);
  const operand = nested(budget, sign, () => parseUnary(cursor, budget));
  return { kind: 'unary', operator, operand, start: sign.start, end: operand.end };
}

function unaryAt(cursor: Cursor): UnaryOperator | undefined {
  if (cursor.atKeyword('NOT')) return 'NOT';
  return cursor.atSymbol('-') ? '-' : undefined;
}

function parseOperand(cursor: Cursor, budget: Budget): Expression {
  const token = cursor.peek();
  if (cursor.atSymbol('(')) {
    cursor.next();
    const inner = nested(budget, token, () => parseBinary(cursor, budget, 0));
    const close = cursor.expectSymbol(')');
    return { ...inner, start: token.start, end: close.end };
  }
  const operand = operandOf(token);
  spend(budget, token);
  cursor.next();
  return token.kind === 'word' && cursor.atSymbol('(') ? parseCall(cursor, budget, token) : operand;
}

function operandOf(token: Token): Expression {
  const span: Span = { start: token.start, end: token.end };
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
      return wordOperand(token, span);
    case 'symbol':
    case 'source':
    case 'end':
      return refuseToken(token, 'a value: a property, $body, a number, a string, a function');
  }
}

function systemProperty(name: string, span: Span): Expression {
  if (SYSTEM_PROPERTIES.has(name)) return { kind: 'system', name, ...span };
  const found = nearestName(name, [...SYSTEM_PROPERTIES, 'body']);
  const sentence = `$${name} is not a system property; an application property of that name is {$${name}}`;
  return refuse(span, sentence, { nearest: found === undefined ? undefined : `$${found}` });
}

function parseCall(cursor: Cursor, budget: Budget, name: Token & { kind: 'word' }): Expression {
  cursor.expectSymbol('(');
  const operands: Expression[] = [];
  if (!cursor.atSymbol(')')) {
    do {
      if (operands.length > 0) cursor.next();
      operands.push(nested(budget, name, () => parseBinary(cursor, budget, 0)));
    } while (cursor.atSymbol(','));
  }
  const close = cursor.expectSymbol(')');
  return { kind: 'call', name: name.word.toLowerCase(), operands, start: name.start, end: close.end };
}

/** A literal or a property. What looks like something else is refused, not read as a property that never is. */
function wordOperand(token: Token & { kind: 'word' }, span: Span): Expression {
  const { word } = token;
  if (LITERALS.has(word)) return { kind: 'literal', value: LITERALS.get(word), ...span };
  if (isKeyword(word)) {
    return refuseToken(token, `a value; a property of that name is written {${word}}`);
  }
  const nearest = word.toLowerCase();
  if (LITERALS.has(nearest)) {
    refuse(span, `${word} is written in lower case; a property of that name is {${word}}`, { nearest });
  }
  return { kind: 'property', name: word, ...span };
}

function nested<T>(budget: Budget, span: Span, parse: () => T): T {
  budget.nesting += 1;
  if (budget.nesting > MAX_NESTING) {
    refuse(span, `a condition may nest ${MAX_NESTING} deep, no deeper: split it into several routes`);
  }
  const parsed = parse();
  budget.nesting -= 1;
  return parsed;
}

function spend(budget: Budget, span: Span): void {
  budget.parts += 1;
  if (budget.parts > MAX_PARTS) {
    refuse(span, `a condition may have ${MAX_PARTS} operands and operators: split it into several routes`);
  }
}
