import { Failure } from '../core/errors.ts';
import type { Database } from './disk/database.ts';
import { MAX_NAME_BYTES } from './limits.ts';

/** Reader of current metadata values, which are in memory, in the journal or in LMDB. */
export type Metadata = {
  readonly get: (name: string) => Buffer | undefined;
  /** Returns the sorted names that begin with `prefix`. */
  readonly names: (prefix: string) => string[];
};

type Values = ReadonlyMap<string, Buffer | undefined>;

/**
 * Creates the reader. `unwritten` returns the values that are not in LMDB yet, newest first. If a value is
 * undefined, its name was deleted.
 */
export function createMetadata(database: Database, unwritten: () => readonly Values[]): Metadata {
  return {
    get: name => {
      const newest = unwritten().find(values => values.has(name));
      return newest === undefined ? database.metadata(name) : newest.get(name);
    },
    names: prefix => {
      const names = new Set(database.names(prefix));
      for (const values of unwritten().toReversed()) {
        for (const [name, value] of values) {
          if (!name.startsWith(prefix)) continue;
          if (value === undefined) names.delete(name);
          else names.add(name);
        }
      }
      return Array.from(names).toSorted();
    },
  };
}

export const NAME_TOO_LONG = new Failure(
  'store.write',
  `Metadata with a name of more than ${MAX_NAME_BYTES} bytes cannot be stored: choose a shorter name.`,
);

/**
 * True if LMDB accepts the name as a key. A short name is accepted without counting its bytes, because each
 * UTF-16 unit has at most three bytes in UTF-8.
 */
export function isValidName(name: string): boolean {
  return name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES;
}
