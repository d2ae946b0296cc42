import type { Cancel, Clock } from '../clock.ts';

/**
 * Runs `action` every `milliseconds` until the returned function is called. The first run is after one
 * interval.
 */
export function repeat(clock: Pick<Clock, 'after'>, milliseconds: number, action: () => void): Cancel {
  const run = (): void => {
    cancel = clock.after(milliseconds, run);
    action();
  };
  let cancel = clock.after(milliseconds, run);
  return () => cancel();
}
