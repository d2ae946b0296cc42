import type { BackoffSpec } from './spec.ts';

export type Backoff = {
  /** Ends in a row that no stable run came between. */
  readonly ends: number;
  /** Milliseconds to wait before the next start. */
  readonly delay: number;
};

/**
 * The wait after a module ended that had ended `ends` times before and now ran for `ranFor` milliseconds: none after a
 * stable run, which forgets what was before; else it grows with every end.
 */
export function backoffAfter(ends: number, ranFor: number, spec: BackoffSpec): Backoff {
  if (ranFor >= spec.forgivenAfter) return { ends: 0, delay: 0 };
  return { ends: ends + 1, delay: Math.min(spec.first * spec.factor ** ends, spec.most) };
}
