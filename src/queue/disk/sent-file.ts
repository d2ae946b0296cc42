import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../core/files/durable.ts';
import { storedJson } from '../../core/files/stored-json.ts';
import { tolerate } from './open-folder.ts';

/*
 * The file lists the entries that were sent and not acknowledged. A clean stop of the hub writes the file for
 * the next run. No file is written when an entry is sent. After a crash every entry of the store may
 * therefore have been sent: acknowledgements that were not on disk are lost, and their entries precede those
 * in flight, so no lower limit is safe.
 */

export type SentEntries = {
  /** Sequence up to which every entry may have been sent. */
  readonly anyUpTo: number;
  /** Highest sequence that was sent, by queue and priority. */
  readonly positions: readonly SentPosition[];
};

export type SentPosition = readonly [queue: number, priority: number, sequence: number];

const FILE = 'sent';

/**
 * Reads and removes the file of the last run. Undefined if the last run did not end cleanly. The caller must
 * flush the folder.
 */
export function takeSentFile(folder: string): SentEntries | undefined {
  const file = join(folder, FILE);
  return tolerate(() => {
    const bytes = readFileSync(file);
    rmSync(file);
    return sentFrom(storedJson(bytes));
  });
}

/** Writes the file for the next run. If the write fails, some messages get a needless DUP flag. */
export function leaveSentFile(folder: string, sent: SentEntries): void {
  tolerate(() => writeDurably(join(folder, FILE), JSON.stringify(sent)));
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
