import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storedJson } from '../../core/files/stored-json.ts';
import { tolerate } from './open-folder.ts';

/*
 * Entries that were sent and not acknowledged, as a clean end leaves them to the next run. Nothing is written
 * for an entry that is sent. So after any other end every entry that is in the store may have been sent: no
 * smaller number is safe, because acknowledgements that were not on disk yet are lost with the end, and their
 * entries come before those in flight.
 */

export type SentEntries = {
  /** Every entry up to this sequence may have been sent. */
  readonly anyUpTo: number;
  /** Highest sequence that was sent, by queue and priority. */
  readonly positions: readonly SentPosition[];
};

export type SentPosition = readonly [queue: number, priority: number, sequence: number];

const FILE = 'sent';

/**
 * Reads and removes what the last run left. Undefined if it did not end cleanly. The caller flushes the
 * folder.
 */
export function takeSentFile(folder: string): SentEntries | undefined {
  const file = join(folder, FILE);
  return tolerate(() => {
    const bytes = readFileSync(file);
    rmSync(file);
    return sentFrom(storedJson(bytes));
  });
}

/** Saves what was sent for the next run. If the disk fails, some messages get a needless DUP flag. */
export function leaveSentFile(folder: string, sent: SentEntries): void {
  tolerate(() => {
    const fd = openSync(join(folder, FILE), 'w', 0o600);
    try {
      writeFileSync(fd, JSON.stringify(sent));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function sentFrom(value: unknown): SentEntries | undefined {
  if (typeof value !== 'object' || value === null || !('anyUpTo' in value && 'positions' in value))
    return undefined;
  const { anyUpTo, positions } = value;
  if (typeof anyUpTo !== 'number' || !Array.isArray(positions)) return undefined;
  const list: unknown[] = positions;
  return { anyUpTo, positions: list.filter(isPosition) };
}

function isPosition(value: unknown): value is SentPosition {
  return Array.isArray(value) && value.length === 3 && value.every(Number.isSafeInteger);
}
