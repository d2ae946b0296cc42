import type { BinaryOperator } from '../tree.ts';

/**
 * How tightly each binary operator binds, the loosest first; all of them from left to right. NOT and unary
 * minus bind tighter than any of them (the reference's rule: `NOT a = b` is `(NOT a) = b`).
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

/** The binary operator that a symbol or a word in any case stands for. */
export function binaryOperator(word: string): BinaryOperator | undefined {
  const upper = word.toUpperCase();
  if (upper === '<>') return '!=';
  return isBinaryOperator(upper) ? upper : undefined;
}

function isBinaryOperator(word: string): word is BinaryOperator {
  return Object.hasOwn(PRECEDENCE, word);
}
