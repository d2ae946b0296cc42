import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Program that holds the write lock of the LMDB file in its first argument until its standard input ends. */
const HOLDER = `
import { readSync } from 'node:fs';
import { open } from 'lmdb';
open({ path: process.argv[1], maxDbs: 8 }).transactionSync(() => {
  process.stdout.write('held');
  readSync(0, Buffer.alloc(1));
});
`;

/**
 * Blocks every checkpoint of the hub on `dataFolder`, like a slow disk, until the returned function is
 * called. Commits block too when both journals are full. Another process holds the lock, so that the hub only
 * waits.
 */
export async function stallDisk(dataFolder: string): Promise<() => Promise<void>> {
  const args = ['--input-type=module', '--eval', HOLDER, join(dataFolder, 'store')];
  const holder = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return async () => {
    holder.stdin.end('x');
    if (holder.exitCode === null) await once(holder, 'exit');
  };
}
