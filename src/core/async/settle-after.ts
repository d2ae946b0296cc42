import type { OnDurable } from '../message.ts';

/**
 * Returns a callback that calls `settle` after it was called `parts` times, with the first error of all
 * calls.
 */
export function settleAfter(parts: number, settle: OnDurable): OnDurable {
  let open = parts;
  let failure: Error | undefined;
  return error => {
    failure ??= error;
    if (--open === 0) settle(failure);
  };
}
