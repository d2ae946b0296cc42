import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Bytes of a disk with enough space for a store. */
const LARGE = 32 << 20;

/**
 * Runs `scenario` on a tmpfs of `megabytes`. Reports the test as skipped without the right to mount.
 */
export async function onTmpfs(megabytes: number, scenario: (folder: string) => Promise<void>): Promise<void> {
  const options = `size=${megabytes}M,mode=0700`;
  await onMounted(folder => succeeds('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder), scenario);
}

/**
 * Runs `scenario` on an ext4 file system. `turnReadOnly` triggers an error, so that the kernel remounts the
 * file system read-only.
 */
export async function onErrorProneDisk(
  scenario: (folder: string, turnReadOnly: () => void) => Promise<void>,
): Promise<void> {
  await onImage(LARGE, async folder => {
    const device = spawnSync('findmnt', ['-no', 'SOURCE', folder], { encoding: 'utf8' }).stdout.trim();
    const trigger = `/sys/fs/ext4/${basename(device)}/trigger_fs_error`;
    if (!existsSync(trigger)) return skip();
    await scenario(folder, () => spawnSync('sh', ['-c', `echo 1 > ${trigger}`]));
  });
}

/**
 * Runs `scenario` on an ext4 file system whose device answers writes with an I/O error from `breakDevice`
 * until `repair`.
 */
export async function onBrokenDevice(
  scenario: (folder: string, breakDevice: () => void, repair: () => void) => Promise<void>,
): Promise<void> {
  // The device is a sparse file on a file system without space for its blocks.
  await onTmpfs(LARGE >> 20, backing =>
    onImage(
      LARGE << 1,
      folder => {
        const filler = join(backing, 'filler');
        return scenario(
          folder,
          () => fillDisk(filler),
          () => rmSync(filler),
        );
      },
      backing,
    ),
  );
}

/** Writes into a file until the disk has no space for one more byte. */
export function fillDisk(file: string): void {
  const fd = openSync(file, 'w');
  for (let bytes = 1 << 20; bytes > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(bytes, 1));
    } catch {
      bytes >>= 1;
    }
  }
  closeSync(fd);
}

async function onImage(
  bytes: number,
  scenario: (folder: string) => Promise<void>,
  beneath: string = tmpdir(),
): Promise<void> {
  const outside = mkdtempSync(join(beneath, 'skerry-image-'));
  const image = join(outside, 'image');
  closeSync(openSync(image, 'w'));
  truncateSync(image, bytes);
  const mount = (folder: string): boolean =>
    succeeds('mkfs.ext4', '-q', image) &&
    succeeds('mount', '-o', 'loop,errors=remount-ro', image, folder) &&
    succeeds('chmod', '0700', folder);
  try {
    await onMounted(mount, scenario);
  } finally {
    rmSync(outside, { recursive: true });
  }
}

async function onMounted(
  mount: (folder: string) => boolean,
  scenario: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-disk-'));
  if (!mount(folder)) {
    rmSync(folder, { recursive: true });
    return skip();
  }
  try {
    await scenario(folder);
  } finally {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function succeeds(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0;
}

function skip(): void {
  process.stdout.write('\nskipped: a disk of the test: file systems cannot be mounted here\n');
}
