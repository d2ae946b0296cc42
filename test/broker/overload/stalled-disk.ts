import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Holds the write lock of the LMDB file in its first argument until its standard input ends. */
const HOLDER = `
import { readSync } from 'node:fs';
import { open } from 'lmdb';
open({ path: process.argv[1], maxDbs: 8 }).transactionSync(() => {
  process.stdout.write('held');
  readSync(0, Buffer.alloc(1));
});
`;

/**
 * Makes every checkpoint of the hub on `dataFolder` wait, as a disk does that is slow, until the returned
 * function is called: once both journals are full, so does every commit. Another process holds the lock, so
 * that the hub itself has nothing to do but wait.
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
