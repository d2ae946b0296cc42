import { refuse } from '../diagnostics.ts';
import { MAX_NESTING, MAX_PARTS } from '../limits.ts';
import type { BinaryOperator, Expression, TextSpan, UnaryOperator } from '../tree.ts';
import { type Cursor, refuseToken } from './cursor.ts';
import { binaryOperator, PRECEDENCE } from './operators.ts';
import type { Token } from './token.ts';
import { TWIN_CHANGE, twinChange } from './twin.ts';

/** Parser of the operands of a dialect: literals, properties, paths. */
export type ReadOperand = (cursor: Cursor) => Expression;

/** State of the parser of one condition. Two counters limit the nesting and the number of parts. */
type Reading = {
  readonly cursor: Cursor;
  readonly operand: ReadOperand;
  /** True if the source of the route is `/twinChangeNotifications`. */
  readonly twins: boolean;
  parts: number;
  nesting: number;
};

type Word = Token & { readonly kind: 'word' };

/** Parses a condition by precedence climbing. `MAX_NESTING` bounds the recursion. */
export function parseExpression(cursor: Cursor, operand: ReadOperand, twins: boolean): Expression {
  return parseBinary({ cursor, operand, twins, parts: 0, nesting: 0 }, 0);
}

function parseBinary(reading: Reading, minimum: number): Expression {
  const { cursor } = reading;
  let left = parseUnary(reading);
  for (;;) {
    const operator = operatorAt(cursor.peek());
    if (operator === undefined || PRECEDENCE[operator] < minimum) return left;
    countPart(reading, cursor.next());
    const right = parseBinary(reading, PRECEDENCE[operator] + 1);
    left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
  }
}

function operatorAt(token: Token): BinaryOperator | undefined {
  if (token.kind === 'symbol') return binaryOperator(token.symbol);
  return token.kind === 'word' ? binaryOperator(token.word) : undefined;
}

function parseUnary(reading: Reading): Expression {
  const { cursor } = reading;
  const operator = unaryAt(cursor);
  if (operator === undefined) return parseOperand(reading);
  const sign = cursor.next();
  countPart(reading, sign);
  const operand = nested(reading, sign, () => parseUnary(reading));
  return { kind: 'unary', operator, operand, start: sign.start, end: operand.end };
}

function unaryAt(cursor: Cursor): UnaryOperator | undefined {
  if (cursor.atKeyword('NOT')) return 'NOT';
  return cursor.atSymbol('-') ? '-' : undefined;
}

function parseOperand(reading: Reading): Expression {
  const { cursor } = reading;
  const token = cursor.peek();
  if (cursor.atSymbol('(')) {
    cursor.next();
    const inner = nested(reading, token, () => parseBinary(reading, 0));
    const close = cursor.expectSymbol(')');
    return { ...inner, start: token.start, end: close.end };
  }
  countPart(reading, token);
  const operand = reading.operand(cursor);
  return token.kind === 'word' && cursor.atSymbol('(') ? parseCall(reading, token) : operand;
}

function parseCall(reading: Reading, name: Word): Expression {
  const { cursor } = reading;
  cursor.expectSymbol('(');
  if (name.word.toLowerCase() === TWIN_CHANGE) return parseTwinChange(reading, name);
  const operands: Expression[] = [];
  if (!cursor.atSymbol(')')) {
    do {
      if (operands.length > 0) cursor.next();
      operands.push(nested(reading, name, () => parseBinary(reading, 0)));
    } while (cursor.atSymbol(','));
  }
  const close = cursor.expectSymbol(')');
  return { kind: 'call', name: name.word.toLowerCase(), operands, start: name.start, end: close.end };
}

function parseTwinChange({ cursor, twins }: Reading, name: Word): Expression {
  if (!twins) refuse(name, `${TWIN_CHANGE} is known only in a route FROM /twinChangeNotifications`);
  const path = cursor.next();
  if (path.kind !== 'word') return refuseToken(path, 'a path, as in properties.reported.level');
  const change = twinChange(path.word, { start: path.start, end: path.end });
  const close = cursor.expectSymbol(')');
  return { ...change, start: name.start, end: close.end };
}

function nested<T>(reading: Reading, span: TextSpan, parse: () => T): T {
  reading.nesting += 1;
  if (reading.nesting > MAX_NESTING) {
    refuse(
      span,
      `a condition may be nested at most ${MAX_NESTING} levels deep: split it into several routes`,
    );
  }
  const parsed = parse();
  reading.nesting -= 1;
  return parsed;
}

function countPart(reading: Reading, span: TextSpan): void {
  reading.parts += 1;
  if (reading.parts > MAX_PARTS) {
    refuse(
      span,
      `a condition may have at most ${MAX_PARTS} operands and operators: split it into several routes`,
    );
  }
}
