import type { Clock } from '../core/clock.ts';

/**
 * Hub time is the hub's own clock for TTLs: the total milliseconds that the hub has run, plus known downtime.
 * After a restart, hub time continues from its stored value. A jump of the wall clock therefore does not
 * change a TTL.
 */
export type HubTime = {
  readonly now: () => number;
  /** Adds known downtime of the hub in milliseconds. */
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
