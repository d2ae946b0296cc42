import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeBase, runFor } from '../vm/base.ts';

/** Debian packages beside the smallest system. */
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'udev', 'bubblewrap', 'libstdc++6', 'busybox-static'],
  'init-system-helpers',
];

/** Files of the image. The root file system is read-only, the data and the boot partition are not. */
const FILES: Readonly<Record<string, string>> = {
  'etc/fstab': `/dev/vda / ext4 ro 0 0
/dev/vdb /var/lib/skerry ext4 rw,noatime 0 0
/dev/vdc /boot/firmware vfat rw,noatime,umask=0077 0 0
tmpfs /tmp tmpfs mode=1777 0 0
tmpfs /var/tmp tmpfs mode=1777 0 0
tmpfs /var/log tmpfs mode=0755 0 0
tmpfs /var/lib/systemd tmpfs mode=0755 0 0
`,
  'etc/hostname': 'greenhouse\n',
  'etc/machine-id': `${'0123456789abcdef'.repeat(2)}\n`,
  'etc/systemd/journald.conf.d/flash.conf': '[Journal]\nStorage=volatile\nRuntimeMaxUse=4M\n',
  'etc/systemd/network/wired.network': `[Match]
Type=ether
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
`,
  'etc/systemd/system/zram.service': `[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c "echo 48M > /sys/block/zram0/disksize && mkswap /dev/zram0 && swapon -p 100 /dev/zram0"
[Install]
WantedBy=sysinit.target
`,
  'etc/systemd/system/report.service': `[Unit]
After=skerry.service skerry-provision.service
[Service]
Type=oneshot
ExecStart=/bin/sh /usr/local/bin/report
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
`,
  'usr/local/bin/report': `echo "REPORT after $(cut -d " " -f 1 /proc/uptime) s"
skerry version
skerry ps
grep -E "^(MemTotal|MemAvailable|SwapFree)" /proc/meminfo
grep -E "^(VmRSS|RssAnon|RssFile|VmSwap)" "/proc/$(cat /var/lib/skerry/skerry.pid)/status"
cat /boot/firmware/skerry/status.txt
systemctl --failed --no-legend
journalctl -u skerry -u skerry-provision -n 8 --no-pager -o cat
echo "REPORT ends"
`,
};

const UNITS = ['systemd-networkd', 'zram', 'report'];

/** Makes the root file system of the image: Debian for arm64 with the package at `deb`. Returns its path. */
export async function makeSystem(folder: string, deb: string): Promise<string> {
  const base = await makeBase(folder, 'arm64', PACKAGES);
  const system = join(folder, 'system');
  rmSync(system, { recursive: true, force: true });
  execFileSync('cp', ['-a', base, system]);
  execFileSync('cp', [deb, join(system, 'skerry.deb')]);
  await runFor('arm64', `chroot '${system}' dpkg --install /skerry.deb`);
  rmSync(join(system, 'skerry.deb'));
  for (const name of ['boot/firmware', 'var/lib/skerry']) mkdirSync(join(system, name), { recursive: true });
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(system, name)), { recursive: true });
    writeFileSync(join(system, name), text);
  }
  execFileSync('systemctl', ['--root', system, 'enable', ...UNITS], { stdio: 'ignore' });
  // The machine has a fixed address, so nothing waits for its network.
  const waiting = 'systemd-networkd-wait-online.service';
  execFileSync('systemctl', ['--root', system, 'mask', waiting], { stdio: 'ignore' });
  return system;
}
