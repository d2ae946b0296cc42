import type { OnDurable } from '../message.ts';

/**
 * Returns a callback that must be called `parts` times. The last call calls `settle` with the first error of
 * all calls.
 */
export function settleAfter(parts: number, settle: OnDurable): OnDurable {
  let open = parts;
  let failure: Error | undefined;
  return error => {
    failure ??= error;
    if (--open === 0) settle(failure);
  };
}
