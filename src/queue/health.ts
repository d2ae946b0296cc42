import type { Failure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { StoreHealth } from './types.ts';

/** What may fail, each by itself: writing to the one file or the other, and reading pages. */
export type Part = 'journal' | 'database' | 'pages';

/** Whether the store works; each change is said once in the log. */
export type Health = {
  readonly failing: (part: Part, error: Failure) => void;
  readonly working: (part: Part) => void;
  /** A message was refused for want of room. */
  readonly full: (reason: Failure) => void;
  /** A message was taken in. */
  readonly taken: () => void;
  readonly report: () => Pick<StoreHealth, 'state' | 'reason'>;
};

export function createHealth(log: Log): Health {
  const failures = new Map<Part, Failure>();
  let full: Failure | undefined;
  return {
    failing: (part, error) => {
      if (failures.size === 0) {
        log.error(`${error.message} Messages that must be kept are refused until it works again.`);
      }
      failures.set(part, error);
    },
    working: part => {
      if (failures.delete(part) && failures.size === 0) log.info('The store can be written again.');
    },
    full: reason => {
      if (full === undefined) log.warn(reason.message);
      full = reason;
    },
    taken: () => {
      if (full !== undefined) log.info('The store takes messages again.');
      full = undefined;
    },
    report: () => {
      const [failure] = failures.values();
      if (failure !== undefined) return { state: 'failing', reason: failure.message };
      return full === undefined
        ? { state: 'working', reason: undefined }
        : { state: 'full', reason: full.message };
    },
  };
}
