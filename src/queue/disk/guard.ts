import type { Database } from './database.ts';
import { isDamage } from './database.ts';

/**
 * Returns a database whose reads return an empty result if LMDB finds a damaged page or the disk fails. The
 * hub continues after both errors. A damaged page affects only the queues with data on this page.
 */
export function guardReads(database: Database, damaged: (thrown: unknown) => void): Database {
  const guard =
    <Args extends readonly unknown[], Result>(read: (...args: Args) => Result, otherwise: Result) =>
    (...args: Args): Result => {
      try {
        return read(...args);
      } catch (thrown) {
        // Reports only damage. Other read errors occur after a failed write, and the failed write reports its
        // own error.
        if (isDamage(thrown)) damaged(thrown);
        return otherwise;
      }
    };
  return {
    ...database,
    entries: guard(database.entries, []),
    chunk: guard(database.chunk, undefined),
    find: guard(database.find, undefined),
    lastEntry: guard(database.lastEntry, undefined),
    expired: guard(database.expired, []),
    body: guard(database.body, undefined),
    holders: guard(database.holders, 1),
    metadata: guard(database.metadata, undefined),
    // If the lookup fails, assumes that the key exists.
    hasMetadata: guard(database.hasMetadata, true),
    names: guard(database.names, []),
  };
}
