/**
 * Runs the tests of limits and sandboxes in a virtual machine of 256 MB with control groups of version 2:
 * `npm run vm`, or `npm run vm test/campaigns/vm/guarded.ts` for one file. Needs Debian on x64 with apt,
 * qemu-system-x86, busybox-static, e2fsprogs and bubblewrap.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeDisk } from './disk.ts';
import { startMachine } from './machine.ts';

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

const output = await startMachine({
  architecture: 'x64',
  memory: 256,
  processors: 2,
  folder,
  disks: [makeDisk(folder, INIT)],
  mount: 'rw',
  init: '/init',
  kernelOptions: [],
  options: ['-no-reboot'],
  timeout: TIMEOUT,
}).ended;
const [, passed = '0', failed = '1'] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(Number(passed) > 0 && Number(failed) === 0 ? 0 : 1);
