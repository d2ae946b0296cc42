import { closeSync, openSync, readSync } from 'node:fs';

/** Most of these files are a line. One buffer for all: nothing here gives way while it is in use. */
const room = Buffer.allocUnsafeSlow(4096);

/**
 * The text of a file of the kernel (/proc, /sys), its bytes taken as Latin-1. Not `readFileSync`, which sets 64 KB aside
 * for a file that does not tell its size: hundreds of these are read when modules end. Throws what the system does.
 */
export function readKernelFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (;;) {
      const count = readSync(file, room, 0, room.length, null);
      if (count === 0) return text;
      text += room.toString('latin1', 0, count);
    }
  } finally {
    closeSync(file);
  }
}
