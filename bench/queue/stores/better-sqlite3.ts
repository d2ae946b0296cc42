import { requirePeer } from '../../peers.ts';

/** Version of the package, which has 27 MB with its binary for this machine. */
const VERSION = '13.2.0';

type Value = number | string | Buffer;

type Statement = {
  readonly run: (...values: readonly Value[]) => unknown;
  readonly all: (...values: readonly Value[]) => Record<string, unknown>[];
};

/** Interface of better-sqlite3 that the benchmark uses; the package has no types. */
export type Database = {
  readonly pragma: (text: string) => unknown;
  readonly exec: (text: string) => unknown;
  readonly prepare: (text: string) => Statement;
  /** Returns a function that runs `action` in one transaction. */
  readonly transaction: <Result>(action: (count: number) => Result) => (count: number) => Result;
  readonly close: () => unknown;
};

/**
 * Opens the database in a file, which is created if it does not exist.
 * @throws if the package cannot be downloaded
 */
export function openDatabase(file: string): Database {
  const Database: new (file: string) => Database = requirePeer('better-sqlite3', VERSION)('better-sqlite3');
  return new Database(file);
}
