import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DEBIAN_ARCHITECTURES } from '../../../build/package/debian.ts';
import type { Architecture } from './kernel.ts';

/**
 * Entry of binfmt_misc for executables of 64-bit ARM (kernel documentation, binfmt-misc). With the flag F the
 * kernel opens the emulator at once, so that it is found in a chroot.
 */
const BINARY_FORMAT =
  ':aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:' +
  '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:' +
  '/usr/bin/qemu-aarch64-static:F';

/** Maps all identifiers of a user namespace to themselves. */
const ALL_IDS = '0 0 65536\n';

/**
 * Makes a minimal Debian with these packages in `folder`, once. Returns the path of its root. For another
 * architecture it takes some minutes.
 */
export async function makeBase(
  folder: string,
  architecture: Architecture,
  packages: readonly string[],
): Promise<string> {
  const root = join(folder, `base-${architecture}`);
  const done = join(folder, `base-${architecture}.done`);
  if (existsSync(done)) return root;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const options = [
    `--arch=${DEBIAN_ARCHITECTURES[architecture]}`,
    '--variant=minbase',
    `--include=${packages.join(',')}`,
  ];
  await runFor(architecture, `mmdebstrap --mode=root ${options.join(' ')} bookworm '${root}'`);
  writeFileSync(done, '');
  return root;
}

/**
 * Runs a shell command in which programs of the architecture run. Programs of another architecture are
 * emulated in a user namespace that has a binfmt_misc of its own (Linux 6.7), so that this machine is not
 * changed.
 */
export async function runFor(architecture: Architecture, command: string): Promise<void> {
  if (architecture === process.arch) {
    execFileSync('sh', ['-ec', command], { stdio: ['ignore', 'inherit', 'inherit'] });
    return;
  }
  const script = `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' '${BINARY_FORMAT}' > /proc/sys/fs/binfmt_misc/register
${command}`;
  // The shell waits until its identifiers are mapped. As root of the namespace, setpriv then gets all rights.
  const wait = 'read -r mapped; exec setpriv --clear-groups sh -ec "$0" < /dev/null';
  const child = spawn('unshare', ['--user', '--mount', 'sh', '-ec', wait, script], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  const own = readlinkSync('/proc/self/ns/user');
  while (readlinkSync(`/proc/${child.pid}/ns/user`) === own) await pause(10);
  for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, ALL_IDS);
  child.stdin.end('mapped\n');
  const [code] = await ended;
  if (code !== 0) throw new Error(`A command for ${architecture} ended with exit code ${code}.`);
}
