import type { Clock } from '../core/clock.ts';

/**
 * Hub time, the hub's own clock for TTLs: total milliseconds that the hub has run, plus known downtime. After
 * a restart hub time continues from its persisted value. A jump of the wall clock does not change a TTL.
 */
export type HubTime = {
  readonly now: () => number;
  /** Adds the milliseconds that the hub was down, if the caller knows them. */
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
