import { RESTART_DELAY_FIRST, RESTART_DELAY_MOST, RESTART_FORGIVEN_AFTER } from '../core/limits.ts';

export type Backoff = {
  /** Ends in a row that no stable run came between. */
  readonly ends: number;
  /** Milliseconds to wait before the next start. */
  readonly delay: number;
};

/**
 * The wait after a module ended that had ended `ends` times before and now ran for `ranFor` milliseconds: it
 * doubles with every end, and a stable run forgets them.
 */
export function backoffAfter(ends: number, ranFor: number): Backoff {
  const before = ranFor >= RESTART_FORGIVEN_AFTER ? 0 : ends;
  return { ends: before + 1, delay: Math.min(RESTART_DELAY_FIRST * 2 ** before, RESTART_DELAY_MOST) };
}
