import type { Database } from './disk/database.ts';

/** Settled state as it was last put, wherever it lies. */
export type Settled = {
  readonly get: (name: string) => Buffer | undefined;
  /** Names that begin with `prefix`, in order. */
  readonly names: (prefix: string) => string[];
};

type Values = ReadonlyMap<string, Buffer | undefined>;

/** `unwritten`: what is not in LMDB yet, newest first; undefined deletes. */
export function settledOver(database: Database, unwritten: () => readonly Values[]): Settled {
  return {
    get: name => {
      const newest = unwritten().find(values => values.has(name));
      return newest === undefined ? database.settled(name) : newest.get(name);
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
