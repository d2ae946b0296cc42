import type { Clock } from '../core/clock.ts';

/**
 * Hub time: milliseconds the hub has been up in all, over all its runs. It is resumed from what was last
 * persisted, so a wall clock that jumps touches no TTL.
 */
export type HubTime = { readonly now: () => number };

export function createHubTime(clock: Clock, persisted: number): HubTime {
  const started = clock.monotonic();
  return { now: () => persisted + (clock.monotonic() - started) };
}
