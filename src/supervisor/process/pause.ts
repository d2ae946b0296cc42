import type { Clock } from '../../core/clock.ts';

/**
 * Resolves after `milliseconds`, or when `sooner` resolves, whichever is first. Cancels the timer if `sooner`
 * is first.
 */
export function pause(clock: Clock, milliseconds: number, sooner?: Promise<unknown>): Promise<void> {
  return new Promise(resolve => {
    const cancel = clock.after(milliseconds, resolve);
    void sooner?.then(() => {
      cancel();
      resolve();
    });
  });
}
