import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * Returns the time that all files of a release get, in seconds since 1970: $SOURCE_DATE_EPOCH, else the time
 * of the last commit.
 */
export function sourceTime(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given === undefined)
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
  if (!/^\d+$/.test(given)) throw new Error('SOURCE_DATE_EPOCH must be seconds since 1970.');
  return Number(given);
}
