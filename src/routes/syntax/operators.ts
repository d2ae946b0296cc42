import type { BinaryOperator } from '../tree.ts';

/**
 * Precedence of binary operators, lowest first. All binary operators are left-associative. NOT and unary
 * minus have a higher precedence, as in Azure IoT Edge. `NOT a = b` therefore means `(NOT a) = b`.
 */
export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '??': 1,
  OR: 2,
  AND: 3,
  '=': 4,
  '!=': 4,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '+': 6,
  '-': 6,
  '||': 6,
  '*': 7,
  '/': 7,
  '%': 7,
};

/**
 * Returns the binary operator for a symbol or a word. Ignores the case. Returns undefined for any other text.
 */
export function binaryOperator(word: string): BinaryOperator | undefined {
  const upper = word.toUpperCase();
  if (upper === '<>') return '!=';
  return isBinaryOperator(upper) ? upper : undefined;
}

function isBinaryOperator(word: string): word is BinaryOperator {
  return Object.hasOwn(PRECEDENCE, word);
}
