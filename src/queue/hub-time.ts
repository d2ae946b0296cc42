import type { Clock } from '../core/clock.ts';

/**
 * Hub time: milliseconds that the hub has been up in all its runs, plus known downtime. It resumes from the
 * persisted value, so a jump of the wall clock changes no TTL.
 */
export type HubTime = {
  readonly now: () => number;
  /** Adds a known downtime in milliseconds. */
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
