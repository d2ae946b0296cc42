import { Failure } from '../core/errors.ts';
import type { Database } from './disk/database.ts';
import { MAX_NAME_BYTES } from './limits.ts';

/** Settled state as it was last put, wherever it lies. */
export type Metadata = {
  readonly get: (name: string) => Buffer | undefined;
  /** Names that begin with `prefix`, in order. */
  readonly names: (prefix: string) => string[];
};

type Values = ReadonlyMap<string, Buffer | undefined>;

/** `unwritten`: what is not in LMDB yet, newest first; undefined deletes. */
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
  `What is kept under a name of more than ${MAX_NAME_BYTES} bytes cannot be written: choose a shorter one.`,
);

/** True if LMDB takes the name. A shorter text has three bytes a character at most, and is not measured. */
export function isValidName(name: string): boolean {
  return name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES;
}
