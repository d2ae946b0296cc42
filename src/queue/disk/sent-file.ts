import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../core/files/durable.ts';
import { storedJson } from '../../core/files/stored-json.ts';
import { tolerate } from './open-folder.ts';

/*
 * The file `sent` contains the highest sequence that was sent, by queue and priority. A clean stop of the hub
 * writes the file for the next start. Sending an entry does not write the file. After a crash the hub
 * therefore assumes that every stored entry was sent, and sends all of them as redeliveries.
 */

export type SentEntries = {
  /**
   * Entries up to this sequence are sent as redeliveries. An earlier hub process has possibly sent them
   * before it crashed.
   */
  readonly anyUpTo: number;
  /** Highest sequence that was sent, by queue and priority. */
  readonly positions: readonly SentPosition[];
};

export type SentPosition = readonly [queue: number, priority: number, sequence: number];

const FILE = 'sent';

/**
 * Reads and removes the file that the previous hub process wrote. Undefined if this process did not end
 * cleanly. The caller must flush the folder.
 */
export function takeSentFile(folder: string): SentEntries | undefined {
  const file = join(folder, FILE);
  return tolerate(() => {
    const bytes = readFileSync(file);
    rmSync(file);
    return sentFrom(storedJson(bytes));
  });
}

/**
 * Writes the file for the next start of the hub. If the write fails, some messages are later sent with a
 * needless DUP flag.
 */
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
