import { createInterface } from 'node:readline';
import type { FolderLock } from '../../src/core/files/folder-lock.ts';
import { lockFolder } from '../../src/core/files/folder-lock.ts';

/*
 * Usage: node lock-holder.ts FOLDER. Answers each input line ("take", "release" or "exit") with "locked",
 * "released", or the reason why the folder cannot be locked.
 */
const [folder = ''] = process.argv.slice(2);
let lock: FolderLock | undefined;

function answer(command: string): string {
  if (command === 'exit') process.exit();
  lock?.release();
  lock = undefined;
  if (command === 'release') return 'released';
  try {
    lock = lockFolder(folder);
    return 'locked';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${answer(line)}\n`);
