import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CommandResult,
  openTestDevice,
  quickManifest,
  runAsync,
  sleeper,
  type TestDevice,
} from '../../harness/device.ts';
import { skip } from '../../harness/skip.ts';

type Context = { device: TestDevice; card: string };

const provision = suite<Context>('e2e: skerry provision');

provision.before.each(context => {
  context.device = openTestDevice();
  context.card = context.device.at('card');
  mkdirSync(join(context.card, 'trusted'), { recursive: true });
});

provision.after.each(({ device }) => device.close());

/** Manifest for devices whose names begin with "floor", with one module. */
const MANIFEST = quickManifest({ serial: 1, for: ['floor*'], modules: { m: sleeper(1001) } });

/** Puts a key, a name and a signed pack on the card. Returns the path of the pack. */
async function prepare(
  { device, card }: Context,
  name: string,
  manifest: object = MANIFEST,
): Promise<string> {
  const pack = join(card, 'floor.skerry');
  const key = device.at('factory.key');
  const file = device.write('manifest.json', manifest);
  if (!existsSync(key)) await succeeds(runAsync(['keygen', '--out', device.at('factory')]));
  await succeeds(runAsync(['pack', file, '--key', key, '-o', pack, '--force']));
  writeFileSync(join(card, 'trusted/factory.pub'), readFileSync(device.at('factory.pub')));
  writeFileSync(join(card, 'name.txt'), name);
  return pack;
}

async function succeeds(ended: Promise<CommandResult>): Promise<void> {
  const { code, err } = await ended;
  assert.equal([code, err], [0, '']);
}

function run({ device, card }: Context): Promise<CommandResult> {
  return device.command('provision', card);
}

async function modulesOf(device: TestDevice): Promise<string[]> {
  return (await device.status()).modules.map(({ name, state }) => `${name} ${state}`);
}

function status(card: string): string {
  return readFileSync(join(card, 'status.txt'), 'utf8');
}

function filesOf(card: string): string[] {
  return readdirSync(card, { recursive: true, encoding: 'utf8' }).sort();
}

provision(
  'a prepared folder gives the device its keys, its name and its pack, and is erased',
  async context => {
    const { device, card } = context;
    const pack = await prepare(context, '\uFEFFfloor1\r\n');
    linkSync(pack, device.at('link'));
    const size = statSync(pack).size;
    await device.up();
    const { code, out, err } = await run(context);
    assert.equal([code, err], [0, ''], out);
    assert.equal(await modulesOf(device), ['m running']);
    assert.equal(filesOf(card), ['device.pub', 'status.txt', 'trusted']);
    assert.match(status(card), /^skerry: .+\ntime: .+\ndevice name: floor1\n/);
    assert.match(status(card), /\nresult: done\n$/);
    assert.equal(readFileSync(device.at('link')), Buffer.alloc(size));
    const key = readFileSync(join(card, 'device.pub'), 'utf8');
    assert.is(key, readFileSync(join(device.data, 'keys/device.pub'), 'utf8'));
    assert.match((await device.command('trust', '--list')).out, /factory/);
    // The name and the key hold from now on, also after a restart.
    await device.restart('SIGKILL');
    const other = device.write('other.json', { ...MANIFEST, serial: 2, for: ['roof*'] });
    const signed = device.at('signed.json');
    await succeeds(runAsync(['sign', other, '--key', device.at('factory.key'), '--out', signed]));
    const refused = await device.command('apply', signed);
    assert.match(refused.err, /is for "roof\*", but this device is "floor1"/);
  },
);

provision(
  'after an interruption before the files were erased, the same files are taken in again',
  async context => {
    const { device, card } = context;
    const pack = await prepare(context, 'floor1');
    const files = ['trusted/factory.pub', 'name.txt', 'floor.skerry'].map(name => join(card, name));
    const contents = files.map(file => readFileSync(file));
    await device.up();
    assert.is((await run(context)).code, 0);
    const before = await device.pids();
    for (const [index, file] of files.entries()) writeFileSync(file, contents[index] ?? '');
    const { code, err } = await run(context);
    assert.equal([code, err, existsSync(pack)], [0, '', false]);
    assert.equal(await device.pids(), before);
  },
);

provision('a folder without prepared files changes nothing and gets no status file', async context => {
  const { device, card } = context;
  writeFileSync(join(card, 'skerry.deb'), 'package');
  await device.up();
  const { code, out } = await run(context);
  assert.is(code, 0);
  assert.match(out, /holds no keys, no name and no manifest/);
  assert.equal(filesOf(card), ['skerry.deb', 'trusted']);
});

/** Names of files, their content, and the error that they cause. */
const WRONG: readonly (readonly [files: Readonly<Record<string, string>>, sentence: RegExp])[] = [
  [{ 'name.txt': 'floor 1' }, /name\.txt must hold 1 to 64 letters, digits/],
  [{ 'name.txt': '' }, /name\.txt must hold 1 to 64 letters, digits/],
  [{ 'name.txt': 'x'.repeat(300) }, /name\.txt cannot be read: not a short text file/],
  [{ 'NAME.TXT': 'floor1' }, /NAME\.TXT is not a file for "skerry provision"/],
  [{ 'factory.pub': 'key' }, /factory\.pub is not a file for "skerry provision"/],
  [{ 'trusted/readme.txt': 'key' }, /readme\.txt is not a file for "skerry provision"/],
  [{ 'trusted/old.pub': 'no key' }, /old\.pub/],
  [
    { 'manifest.json': '{}', 'a.skerry': 'x' },
    /holds a\.skerry and manifest\.json: keep the manifest or pack/,
  ],
  [{ 'a.skerry': 'damaged' }, /a\.skerry/],
  [{ 'manifest.json': '{"name":"floor1","modlues":{}}' }, /modlues is an unknown field/],
];

provision('a wrong file in the folder is named in the status file, and all files stay', async context => {
  const { device, card } = context;
  await device.up();
  for (const [files, sentence] of WRONG) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(card, name), text);
    const { code, err } = await run(context);
    assert.is(code, 2, err);
    assert.match(err, sentence);
    assert.match(status(card), /\nresult: failed \([a-z.-]+\): /);
    assert.match(status(card), sentence);
    for (const [name, text] of Object.entries(files)) assert.is(readFileSync(join(card, name), 'utf8'), text);
    for (const name of Object.keys(files)) rmSync(join(card, name));
  }
  const { current } = (await device.status()).deployment;
  assert.is(current, undefined);
});

provision('a pack for another device, or a pack that is not healthy, stays on the card', async context => {
  const { device, card } = context;
  const pack = await prepare(context, 'roof1');
  await device.up();
  const other = await run(context);
  assert.is(other.code, 2);
  assert.match(status(card), /failed \(manifest\.other-device\): .* this device is "roof1"/);
  assert.ok(existsSync(pack));
  const failing = { m: { exec: ['false'], io: 'lines' } };
  await prepare(context, 'floor1', quickManifest({ serial: 2, for: ['floor*'], modules: failing }, '1s'));
  const unhealthy = await run(context);
  assert.is(unhealthy.code, 1, unhealthy.err);
  assert.match(status(card), /failed \(deployment\.unhealthy\): /);
  assert.ok(existsSync(pack));
});

provision(
  'a missing folder and a folder that cannot be written are refused with one sentence',
  async context => {
    const { device, card } = context;
    await device.up();
    const missing = await device.command('provision', device.at('nowhere'));
    assert.is(missing.code, 2);
    assert.match(missing.err, /nowhere cannot be read: ENOENT/);
    assert.not(existsSync(device.at('nowhere')));
    await prepare(context, 'floor1');
    // A folder in the place of the file cannot be replaced, like a file on a read-only partition.
    mkdirSync(join(card, 'status.txt/x'), { recursive: true });
    const readOnly = await run(context);
    assert.is(readOnly.code, 1);
    assert.match(readOnly.err, /status\.txt cannot be written .*: mount the folder writable/);
    assert.is((await device.status()).deployment.current, undefined);
  },
);

provision(
  'a pack whose key is missing or wrong changes nothing until the right key is on the card',
  async context => {
    const { device, card } = context;
    await prepare(context, 'floor1');
    const key = join(card, 'trusted/factory.pub');
    const right = readFileSync(key);
    await device.up();
    rmSync(key);
    assert.match((await run(context)).err, /is signed, but the device trusts no key/);
    await succeeds(runAsync(['keygen', '--out', device.at('other')]));
    writeFileSync(key, readFileSync(device.at('other.pub')));
    assert.match((await run(context)).err, /signature\.key is not a key/);
    assert.match((await device.command('trust', '--list')).out, /No key is trusted/);
    assert.not(existsSync(join(device.data, 'device-name')));
    writeFileSync(key, right);
    await succeeds(run(context));
    assert.equal(await modulesOf(device), ['m running']);
  },
);

provision('a prepared manifest that fails is tried three times', async context => {
  const { device, card } = context;
  const failing = { m: { exec: ['false'], io: 'lines' } };
  device.write('card/manifest.json', quickManifest({ modules: failing }, '500ms'));
  await device.up();
  for (let tries = 0; tries < 3; tries++) assert.is((await run(context)).code, 1);
  const last = await run(context);
  assert.is(last.code, 2);
  assert.match(last.err, /has failed 3 times: prepare another one/);
  assert.ok(existsSync(join(card, 'manifest.json')));
});

provision(
  'a prepared manifest that has failed does not replace a manifest that was applied later',
  async context => {
    const { device } = context;
    const failing = { m: { exec: ['false'], io: 'lines' } };
    device.write('card/manifest.json', quickManifest({ modules: failing }, '500ms'));
    await device.up();
    assert.is((await run(context)).code, 1);
    await succeeds(device.apply(quickManifest({ modules: { repaired: sleeper(1002) } })));
    const refused = await run(context);
    assert.is(refused.code, 2);
    assert.match(refused.err, /has failed before, and another manifest runs now/);
    assert.equal(await modulesOf(device), ['repaired running']);
  },
);

provision('files that a power cut during the erasure left are erased at the next start', async context => {
  const { device, card } = context;
  await device.up();
  writeFileSync(join(card, '.erase-0'), 'secret');
  linkSync(join(card, '.erase-0'), device.at('link'));
  await succeeds(run(context));
  assert.equal(filesOf(card), ['trusted']);
  assert.equal(readFileSync(device.at('link')), Buffer.alloc(6));
});

provision(
  'a symbolic link in the folder is refused, and its target is neither read nor erased',
  async context => {
    const { device, card } = context;
    await device.up();
    const target = device.write('target.json', quickManifest({}));
    const text = readFileSync(target, 'utf8');
    symlinkSync(target, join(card, 'manifest.json'));
    const { code, err } = await run(context);
    assert.is(code, 2);
    assert.match(err, /manifest\.json is not a regular file/);
    assert.is(readFileSync(target, 'utf8'), text);
  },
);

provision('files that root stores in the data folder of another user belong to that user', async context => {
  if (process.getuid?.() !== 0) return skip('only root can act as another user');
  const { device } = context;
  await succeeds(runAsync(['keygen', '--out', device.at('factory')]));
  chmodSync(device.folder, 0o755);
  mkdirSync(device.data, { mode: 0o700 });
  const [uid, gid] = [12_345, 23_456];
  chownSync(device.data, uid, gid);
  const { code, err } = await device.command('trust', device.at('factory.pub'));
  assert.is(code, 0, err);
  const sealed = await runAsync(['seal', '--data', device.data], 'secret\n');
  assert.is(sealed.code, 0, sealed.err);
  for (const name of [
    'keys',
    'keys/trusted',
    'keys/trusted/factory.pub',
    'keys/device.key',
    'keys/device.pub',
  ]) {
    const { uid: owner, gid: group } = statSync(join(device.data, name));
    assert.equal([owner, group], [uid, gid], name);
  }
});

provision.run();
