import type { Clock } from './clock.ts';
import type { Log, LogFields } from './log.ts';

let caught = 0;

/**
 * Logs and counts an exception that was caught at the boundary of a connection, module, message or timer. The
 * caller ends only the component in which the exception occurred.
 */
export function noteException(log: Log, component: string, thrown: unknown, fields: LogFields = {}): void {
  caught++;
  const text = thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : String(thrown);
  log.error(`Unexpected exception in ${component}; the hub continues: ${text}`, fields);
}

/** Returns a clock whose timers catch and log exceptions, so that the hub continues. */
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

/** Returns the number of exceptions that were caught since the start. */
export function containedExceptions(): number {
  return caught;
}
