import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes of the unit in which the kernel counts what a device writes, whatever the device's own is. */
const SECTOR = 512;

/** statfs(2) */
const TMPFS = 0x01021994;

/** Runs `action` with a fresh folder on a disk, and removes it. */
export async function inFolder<Result>(action: (folder: string) => Promise<Result>): Promise<Result> {
  if (statfsSync(tmpdir()).type === TMPFS) {
    throw new Error(`${tmpdir()} is memory, not a disk: set TMPDIR to a folder on the disk to be measured.`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'skerry-queue-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Bytes of all files in a folder. */
export function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Bytes written so far to the device under `folder`, by everyone; undefined if the kernel does not tell. */
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
