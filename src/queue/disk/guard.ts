import type { Database } from './database.ts';
import { isDamage } from './database.ts';

/**
 * The database, with reads that end in an empty answer where LMDB finds its own file damaged, or has been
 * failed by its disk: neither may stop the hub, nor one bad page the queues that have nothing on it.
 */
export function guardReads(database: Database, damaged: (thrown: unknown) => void): Database {
  const guard =
    <Args extends readonly unknown[], Result>(read: (...args: Args) => Result, otherwise: Result) =>
    (...args: Args): Result => {
      try {
        return read(...args);
      } catch (thrown) {
        // Any other error is that of a write, which has told of it.
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
    // Of a name that cannot be looked for nobody may say that it is gone.
    hasMetadata: guard(database.hasMetadata, true),
    names: guard(database.names, []),
  };
}
