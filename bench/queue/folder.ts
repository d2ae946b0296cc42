import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes of a sector. The kernel counts the writes to any device in this unit. */
const SECTOR = 512;

/** Type of a tmpfs file system in statfs(2). */
const TMPFS = 0x01021994;

/** Runs `action` with a new folder on a disk, then removes the folder. */
export async function inFolder<Result>(action: (folder: string) => Promise<Result>): Promise<Result> {
  if (statfsSync(tmpdir()).type === TMPFS) {
    throw new Error(`${tmpdir()} is a tmpfs in memory: set TMPDIR to a folder on the disk to be measured.`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'skerry-queue-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Returns the bytes of all files in a folder. */
export function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/**
 * Returns the bytes that all processes have written to the device of `folder`. Undefined if the kernel does
 * not report it.
 */
export function writtenToDevice(folder: string): number | undefined {
  const { dev } = statSync(folder);
  const [major, minor] = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)];
  try {
    const sectors = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8').trim().split(/\s+/)[6];
    return Number(sectors) * SECTOR;
  } catch {
    return undefined;
  }
}
