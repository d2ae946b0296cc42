/*
 * npm run install-vm
 *
 * Installs the Debian package in a virtual machine of 256 MB with systemd: first module, limits, sandboxes
 * and users under the hardened unit, reboot, kill, upgrade, downgrade, purge. Needs Debian on x64 with
 * qemu-system-x86, mmdebstrap, busybox-static and e2fsprogs. The machine is emulated and takes some minutes.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { VERSION } from '../../../src/core/version.ts';
import { startMachine } from '../vm/machine.ts';
import { makeCampaignPackage } from '../vm/package.ts';
import { makeDisk } from './disk.ts';

/** Milliseconds for both boots. */
const TIMEOUT = 1_500_000;

/** Version of the package that the other one is upgraded to. */
const NEWER = '9.0.0';

const HIDDEN = 'test -e /var/lib/skerry/store || echo the data folder is hidden >&2';

const MANIFEST = {
  name: 'installed',
  deployment: { within: '10m' },
  modules: {
    limited: { exec: ['sleep', '1111'], io: 'lines', user: 'greenhouse', limits: { memory: '32M' } },
    standard: { exec: ['sh', '-c', `${HIDDEN}; exec sleep 2222`], io: 'lines', sandbox: 'standard' },
    strict: { exec: ['sh', '-c', `${HIDDEN}; exec sleep 3333`], io: 'lines', sandbox: 'strict' },
  },
};

const dist = resolve(import.meta.dirname, '../../../dist');
const folder = join(dist, 'install');
const scenario = join(folder, 'scenario');

function makePackage(version: string, output: string): void {
  const binary = join(dist, 'skerry');
  makeCampaignPackage({ binary, architecture: 'x64', version, work: join(folder, 'package'), output });
}

rmSync(scenario, { recursive: true, force: true });
mkdirSync(scenario, { recursive: true });
copyFileSync(join(import.meta.dirname, 'scenario.sh'), join(scenario, 'scenario.sh'));
writeFileSync(join(scenario, 'manifest.json'), JSON.stringify(MANIFEST));
makePackage(VERSION, join(scenario, 'old.deb'));
makePackage(NEWER, join(scenario, 'new.deb'));
const output = await startMachine({
  architecture: 'x64',
  memory: 256,
  processors: 2,
  folder,
  disks: [makeDisk(folder, scenario)],
  mount: 'rw',
  init: '/sbin/init',
  kernelOptions: ['systemd.show_status=0'],
  options: [],
  timeout: TIMEOUT,
}).ended;
const passed = output.match(/^ok /gm)?.length ?? 0;
const failed = output.match(/^FAILED /gm)?.length ?? 0;
const ended = output.includes('The scenario ends.');
if (!ended) process.stdout.write('\nThe scenario did not end.\n');
process.stdout.write(`\n${passed} passed, ${failed + (ended ? 0 : 1)} failed\n`);
process.exit(passed > 0 && failed === 0 && ended ? 0 : 1);
