import type { Clock } from '../../core/clock.ts';

/** Resolves after `milliseconds`, or when `sooner` resolves. Cancels the timer in the second case. */
export function pause(clock: Clock, milliseconds: number, sooner?: Promise<unknown>): Promise<void> {
  return new Promise(resolve => {
    const cancel = clock.after(milliseconds, resolve);
    void sooner?.then(() => {
      cancel();
      resolve();
    });
  });
}
