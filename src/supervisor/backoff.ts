import type { BackoffSpec } from './spec.ts';

export type Backoff = {
  /** Ends in a row that no stable run came between. */
  readonly ends: number;
  /** Milliseconds to wait before the next start. */
  readonly delay: number;
};

/**
 * The wait after a module ended that had ended `ends` times before and now ran for `ranFor` milliseconds: it grows
 * with every end, and a stable run forgets them.
 */
export function backoffAfter(ends: number, ranFor: number, spec: BackoffSpec): Backoff {
  const before = ranFor >= spec.forgivenAfter ? 0 : ends;
  return { ends: before + 1, delay: Math.min(spec.first * spec.factor ** before, spec.most) };
}
