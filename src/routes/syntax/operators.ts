import type { BinaryOperator } from '../tree.ts';

/**
 * Precedence of binary operators, lowest first; all are left-associative. NOT and unary minus bind tighter,
 * as in Azure IoT Edge: `NOT a = b` is `(NOT a) = b`.
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

/** Looks up a binary operator by symbol or by word in any case. */
export function binaryOperator(word: string): BinaryOperator | undefined {
  const upper = word.toUpperCase();
  if (upper === '<>') return '!=';
  return isBinaryOperator(upper) ? upper : undefined;
}

function isBinaryOperator(word: string): word is BinaryOperator {
  return Object.hasOwn(PRECEDENCE, word);
}
