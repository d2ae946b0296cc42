import { randomBytes } from 'node:crypto';
import * as assert from 'uvu/assert';
import { Failure, type FailureCode } from '../../src/core/errors.ts';
import type { Random } from '../../src/core/random.ts';

export const random: Random = { fraction: () => 0, bytes: count => randomBytes(count) };

/** Randomness that gives these bytes, one piece after the other. */
export function given(...pieces: readonly Buffer[]): Random {
  const left = [...pieces];
  return {
    fraction: () => 0,
    bytes: count => {
      const piece = left.shift();
      assert.is(piece?.length, count);
      return piece ?? Buffer.alloc(0);
    },
  };
}

/** The sentence of the failure with that code that `action` ends by. */
export async function sentenceOf(code: FailureCode, action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    assert.is(thrown.code, code, thrown.message);
    return thrown.message;
  }
  throw new Error(`It did not end by ${code}.`);
}
