import type { Failure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { StoreHealth } from './types.ts';

/**
 * Parts of the store that can fail independently: writes of the journal, writes of the database, reads of
 * pages.
 */
export type StorePart = 'journal' | 'database' | 'pages';

/** Tracks the state of the store and logs each change once. */
export type HealthTracker = {
  readonly reportFailure: (part: StorePart, error: Failure) => void;
  readonly reportSuccess: (part: StorePart) => void;
  /**
   * Records that a message was refused because there was no space. `bounded` is the name of the full queue or
   * of the store.
   */
  readonly reportFull: (bounded: string, reason: Failure) => void;
  /**
   * Marks a full queue as working again if it has refused no message since the last call, and logs the
   * change. The store counts as a queue. Called once per sweep interval.
   */
  readonly refresh: () => void;
  /** True while the store cannot be written. */
  readonly isFailing: () => boolean;
  readonly report: () => Pick<StoreHealth, 'state' | 'reason'>;
};

export function createHealthTracker(log: Log): HealthTracker {
  const failures = new Map<StorePart, Failure>();
  /**
   * Full queues by name, including the full store. `refused` is true if a message was refused since the last
   * `refresh`.
   */
  const full = new Map<string, { readonly reason: Failure; refused: boolean }>();
  return {
    reportFailure: (part, error) => {
      if (failures.size === 0) {
        log.error(
          `${error.message} Messages that must be stored are refused until the store can be written again.`,
        );
      }
      failures.set(part, error);
    },
    reportSuccess: part => {
      if (failures.delete(part) && failures.size === 0) log.info('The store can be written again.');
    },
    reportFull: (bounded, reason) => {
      if (!full.has(bounded)) log.warn(reason.message);
      full.set(bounded, { reason, refused: true });
    },
    refresh: () => {
      for (const [bounded, state] of full) {
        if (!state.refused) {
          full.delete(bounded);
          log.info(`${bounded} accepts messages again.`);
        }
        state.refused = false;
      }
    },
    isFailing: () => failures.has('journal') || failures.has('database'),
    report: () => {
      const [failure] = failures.values();
      if (failure !== undefined) return { state: 'failing', reason: failure.message };
      const [first] = full.values();
      return first === undefined
        ? { state: 'working', reason: undefined }
        : { state: 'full', reason: first.reason.message };
    },
  };
}
