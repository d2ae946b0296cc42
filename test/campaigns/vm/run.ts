/**
 * Runs the tests of limits and sandboxes in a virtual machine of 256 MB with control groups of version 2:
 * `npm run vm`, or `npm run vm test/campaigns/vm/guarded.ts` for one file. Needs Debian on x64 with apt,
 * qemu-system-x86, busybox-static, e2fsprogs and bubblewrap.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeDisk } from './disk.ts';
import { fetchKernel, makeInitialFiles } from './kernel.ts';

const MEMORY_MEBIBYTES = 256;

/** Maximum milliseconds of the virtual machine, whose emulated processor is slow. */
const TIMEOUT = 600_000;

const TESTS = [
  'test/campaigns/vm/controllers.ts',
  'test/campaigns/vm/guarded.ts',
  ...[
    'cgroups/limits',
    'confinement/sandbox',
    'confinement/confinement',
    'process/stop',
    'process/orphans',
  ].map(name => `test/supervisor/${name}.test.ts`),
  'test/e2e/modules/contained.test.ts',
];

const wanted = process.argv.slice(2);

const INITIAL = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
LOAD
/bin/busybox mount -t ext4 /dev/vda /disk
exec /bin/busybox switch_root /disk /init
`;

const INIT = `#!/bin/sh
export PATH=/usr/bin:/bin HOME=/root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
chmod 1777 /var/tmp
mount -t cgroup2 none /sys/fs/cgroup
ifconfig lo 127.0.0.1 up
cd /project
echo "Kernel $(uname -r), $(head -n 1 /proc/meminfo)"
node test/run.ts ${(wanted.length > 0 ? wanted : TESTS).join(' ')}
poweroff -f
`;

const folder = resolve(import.meta.dirname, '../../../dist/vm');
mkdirSync(folder, { recursive: true });

const kernel = fetchKernel(folder);
const initial = makeInitialFiles(folder, kernel, INITIAL);
const disk = makeDisk(folder, INIT);
const output = await boot();
const [, passed = '0', failed = '1'] = /^(\d+) passed, (\d+) failed\r?$/m.exec(output) ?? [];
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(Number(passed) > 0 && Number(failed) === 0 ? 0 : 1);

/** Starts the virtual machine. Resolves to its output when it is switched off. */
function boot(): Promise<string> {
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
      // Emulation, because virtual machines seldom offer nested virtualization.
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max'],
      ...['-m', `${MEMORY_MEBIBYTES}`, '-smp', '2', '-kernel', kernel.image, '-initrd', initial],
      ...['-append', 'console=ttyS0 quiet panic=-1'],
      ...['-drive', `file=${join(disk)},if=virtio,format=raw`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: TIMEOUT },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    process.stdout.write(chunk);
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', () => done(text));
  });
}
