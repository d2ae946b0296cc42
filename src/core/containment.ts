import type { Clock } from './clock.ts';
import type { Log, LogFields } from './log.ts';

let caught = 0;

/**
 * Notes an exception that was caught where one party's work begins: a connection, a module, a message, a
 * timer. The caller ends that party; nothing else is touched.
 */
export function noteException(log: Log, party: string, thrown: unknown, fields: LogFields = {}): void {
  caught++;
  const text = thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : String(thrown);
  log.error(`An exception in ${party} was contained: ${text}`, fields);
}

/** A clock whose timers contain what they throw: the timer ends, and nothing else. */
export function containedClock(clock: Clock, log: Log): Clock {
  return {
    ...clock,
    after: (milliseconds, action) =>
      clock.after(milliseconds, () => {
        try {
          action();
        } catch (thrown) {
          noteException(log, 'a timer', thrown);
        }
      }),
  };
}

/** Exceptions that were contained since the start. */
export function containedExceptions(): number {
  return caught;
}
