import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian packages beside the smallest system with apt. */
const PACKAGES = ['systemd', 'systemd-sysv', 'bubblewrap', 'libstdc++6', 'procps'];

const DISK_MEBIBYTES = 1_400;

/** Runs the scenario after each boot, with its output on the serial console. */
const SERVICE = `[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /scenario/scenario.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
`;

/**
 * Makes a disk with Debian, systemd and the files of `scenario` in /scenario. The system is made once, with
 * mmdebstrap, and reused.
 */
export function makeDisk(folder: string, scenario: string): string {
  const system = join(folder, 'system');
  if (!existsSync(join(system, 'sbin/init'))) makeSystem(system);
  rmSync(join(system, 'scenario'), { recursive: true, force: true });
  cpSync(scenario, join(system, 'scenario'), { recursive: true });
  const disk = join(folder, 'install.ext4');
  rmSync(disk, { force: true });
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', system, disk, `${DISK_MEBIBYTES}M`]);
  return disk;
}

function makeSystem(system: string): void {
  rmSync(system, { recursive: true, force: true });
  mkdirSync(system, { recursive: true });
  const options = ['--variant=apt', `--include=${PACKAGES.join(',')}`, 'bookworm', system];
  execFileSync('mmdebstrap', options, { stdio: ['ignore', 'inherit', 'inherit'] });
  writeFileSync(join(system, 'etc/systemd/system/scenario.service'), SERVICE);
  execFileSync('systemctl', ['--root', system, 'enable', 'scenario.service'], { stdio: 'ignore' });
  writeFileSync(join(system, 'etc/fstab'), '/dev/vda / ext4 defaults 0 1\n');
}
