/*
 * npm run image [CUTS]
 *
 * Makes an image for arm64 (Debian, the package, a read-only root, data on its own partition, zram) and boots
 * it with 128 MB in an emulated machine: it provisions itself from the boot partition, runs the greenhouse
 * example, survives power cuts under load and in a self-update, is updated by a pack and rolls back. Needs
 * Debian on x64 with qemu-system-arm, qemu-user-static, mmdebstrap, mtools, e2fsprogs and busybox-static,
 * and the binary for arm64 in dist/.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { VERSION } from '../../../src/core/version.ts';
import { hubWithVersion } from '../self-update/self-update.ts';
import { makeCampaignPackage } from '../vm/package.ts';
import { makeCard } from './card.ts';
import { createDevice } from './device.ts';
import { receive, startPublisher, subscribe } from './load.ts';
import { createPacks } from './packs.ts';
import { makeSystem } from './system.ts';

const MEMORY_MEBIBYTES = 128;

const cuts = Number(process.argv[2] ?? 10);
const dist = resolve(import.meta.dirname, '../../../dist');
const folder = join(dist, 'image');
mkdirSync(folder, { recursive: true });
const binary = join(dist, 'skerry-linux-arm64');
const results: boolean[] = [];

function check(what: string, holds: boolean): void {
  results.push(holds);
  process.stdout.write(`${holds ? 'ok' : 'FAILED'} ${what}\n`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(done => setTimeout(done, milliseconds));
}

const deb = join(folder, 'skerry.deb');
makeCampaignPackage({
  binary,
  architecture: 'arm64',
  version: VERSION,
  work: join(folder, 'package'),
  output: deb,
});
const system = await makeSystem(folder, deb);
const card = makeCard(folder, system);
const packs = await createPacks(mkdtempSync(join(folder, 'packs-')));
const device = await createDevice(folder, system, card, MEMORY_MEBIBYTES);

function runsExample(report: string): boolean {
  return /^host .*running/m.test(report) && /^watch .*running/m.test(report);
}

async function provision(): Promise<void> {
  const nameFile = join(folder, 'name.txt');
  writeFileSync(nameFile, 'greenhouse1\n');
  card.put({
    'trusted/factory.pub': packs.key,
    'name.txt': nameFile,
    'greenhouse.skerry': packs.make(1),
  });
  const report = await device.bootOnce();
  check('the device provisions itself from the boot partition', report.includes('\nresult: done\n'));
  check('the greenhouse example runs', runsExample(report));
  const left = card.names().filter(name => /greenhouse|name|factory/.test(name));
  check('the boot partition holds no pack, no name and no key', left.length === 0);
  const isKey = card.read('device.pub').startsWith('skerry-public-key x25519 ');
  check('the boot partition holds the public key of the device', isKey);
}

async function cutPowerUnderLoad(): Promise<void> {
  const acknowledged = new Set<number>();
  let next = 0;
  for (let cut = 0; cut < cuts; cut++) {
    const machine = device.boot();
    await device.report(machine);
    if (cut === 0) await subscribe(device.port);
    const publisher = await startPublisher(device.port, next);
    await pause(randomInt(1_000, 8_000));
    await device.cutPower(machine);
    next = publisher.stop();
    for (const number of publisher.acknowledged) acknowledged.add(number);
    process.stdout.write(`power cut ${cut + 1}: ${publisher.acknowledged.size} acknowledged\n`);
  }
  const machine = device.boot();
  await device.report(machine);
  const received = await receive(device.port);
  await device.cutPower(machine);
  const lost = [...acknowledged].filter(number => !received.has(number)).length;
  check(
    `${cuts} power cuts: ${acknowledged.size} acknowledged, ${lost} lost`,
    lost === 0 && received.size > 0,
  );
}

async function rollBack(): Promise<void> {
  const modules = { broken: { exec: ['false'], io: 'lines' } };
  card.put({ 'greenhouse.skerry': packs.make(2, { modules, deployment: { within: '20s' } }) });
  const report = await device.bootOnce();
  const isRefused = report.includes('\nresult: failed (deployment.unhealthy): ');
  check('a pack whose module fails is rolled back', isRefused && runsExample(report));
}

async function updateHub(): Promise<void> {
  const newHub = join(folder, 'new-hub');
  writeFileSync(newHub, hubWithVersion(9, readFileSync(binary)));
  card.put({ 'greenhouse.skerry': packs.make(3, { hub: { arm64: { from: newHub } } }) });
  const machine = device.boot();
  await pause(randomInt(20_000, 60_000));
  await device.cutPower(machine);
  const report = await device.bootOnce();
  check('a self-update by a pack succeeds after a power cut', report.includes('\nresult: done\n'));
  check('the example runs on the updated hub after a restart', runsExample(await device.bootOnce()));
}

for (const phase of [provision, cutPowerUnderLoad, rollBack, updateHub]) await phase();
const failed = results.filter(holds => !holds).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
