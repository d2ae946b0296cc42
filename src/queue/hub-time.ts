import type { Clock } from '../core/clock.ts';

/**
 * Hub time: milliseconds the hub has been up in all, over all its runs, and those between them that are known. It is
 * resumed from what was last persisted, so a wall clock that jumps touches no TTL.
 */
export type HubTime = {
  readonly now: () => number;
  /** Counts a time during which the hub was down. */
  readonly advance: (milliseconds: number) => void;
};

export function createHubTime(clock: Clock, persisted: number): HubTime {
  const started = clock.monotonic();
  let base = persisted;
  return {
    now: () => base + (clock.monotonic() - started),
    advance: milliseconds => {
      base += milliseconds;
    },
  };
}
