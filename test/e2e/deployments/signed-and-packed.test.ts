import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { archive, sha256Of } from '../../harness/bundles/archives.ts';
import {
  type CommandResult,
  openTestDevice,
  quickManifest,
  runAsync,
  sleeper,
  type TestDevice,
} from '../../harness/device.ts';

type Context = { device: TestDevice };

const deployments = suite<Context>('e2e: signed manifests, packs and saved deployments');

deployments.before.each(context => {
  context.device = openTestDevice();
});

deployments.after.each(({ device }) => device.close());

async function succeeds(ended: Promise<CommandResult>): Promise<string> {
  const { code, out, err } = await ended;
  assert.equal([code, err], [0, ''], out);
  return out;
}

async function isRefused(ended: Promise<CommandResult>, sentence: RegExp): Promise<void> {
  const { code, out, err } = await ended;
  assert.equal([code, out], [2, ''], err);
  assert.match(err, sentence);
}

deployments(
  'a device with a trusted key accepts only manifests that this key signed and whose serial increases',
  async ({ device }) => {
    for (const name of ['alice', 'bob']) await succeeds(runAsync(['keygen', '--out', device.at(name)]));
    await device.up();
    const versionOf = (serial: number): object =>
      quickManifest({ serial, for: ['edge'], modules: { m: sleeper(1000 + serial) } });
    const signed = async (serial: number, who = 'alice'): Promise<string> => {
      device.write(`${serial}.json`, versionOf(serial));
      const out = device.at(`${serial}.${who}.json`);
      await succeeds(
        runAsync(['sign', device.at(`${serial}.json`), '--key', device.at(`${who}.key`), '--out', out]),
      );
      return out;
    };
    const apply = (file: string): Promise<CommandResult> => device.command('apply', file);
    const runs = (serial: number): void => assert.equal(device.commands(), [`m: sleep ${1000 + serial}`]);
    await succeeds(device.command('trust', device.at('alice.pub')));
    await succeeds(apply(await signed(5)));
    runs(5);
    await isRefused(device.apply(versionOf(6)), /signature is missing/);
    await isRefused(apply(await signed(6, 'bob')), /signature\.key is not a key/);
    const text = readFileSync(await signed(7), 'utf8');
    writeFileSync(device.at('changed.json'), text.replace('1007', '1008'));
    await isRefused(apply(device.at('changed.json')), /signature/);
    await isRefused(apply(await signed(4)), /serial is 4, but 5 was applied already: use a higher one/);
    runs(5);
    await succeeds(apply(await signed(6)));
    runs(6);
    await isRefused(apply(device.at('5.alice.json')), /serial is 5, but 6 was applied already/);
    assert.match(await succeeds(apply(device.at('6.alice.json'))), /nothing to change/);
    // The last serial survives a restart and the loss of the store.
    await device.hub().end('SIGKILL');
    rmSync(`${device.data}/store`, { recursive: true });
    await device.up();
    await until('it runs again', () => device.commands().length === 1);
    await isRefused(apply(device.at('5.alice.json')), /serial is 5, but 6 was applied already/);
    runs(6);
  },
);

deployments('a manifest with `for` is accepted only by the devices that `for` names', async ({ device }) => {
  const manifest = (name: string, devices: readonly string[], seconds: number): object =>
    quickManifest({ name, for: devices, modules: { m: sleeper(seconds) } });
  await device.up();
  // A device without a deployment has the name of its first manifest.
  await isRefused(
    device.apply(manifest('edge', ['floor1'], 1001)),
    /is for "floor1", but this device is "edge"/,
  );
  await succeeds(device.apply(manifest('edge', ['shop-*', 'ed*'], 1002)));
  await isRefused(
    device.apply(manifest('floor1', ['floor1', 'edg', '*edgy'], 1003)),
    /The manifest is for "floor1", "edg" or "\*edgy", but this device is "edge": apply the manifest for this/,
  );
  assert.equal(device.commands(), ['m: sleep 1002']);
  await succeeds(device.apply(manifest('floor1', ['edge'], 1004)));
  await isRefused(device.apply(manifest('edge', ['edge'], 1005)), /this device is "floor1"/);
  await device.hub().end('SIGTERM');
  const up = (...args: readonly string[]): Promise<CommandResult> =>
    device.command('up', device.write('given.json', manifest('floor1', ['floor1'], 1006)), ...args);
  await isRefused(up('--name', 'floor2'), /this device is "floor2"/);
  await isRefused(up('--name', 'a b'), /--name must be 1 to 64 letters/);
});

deployments('a sealed secret is decrypted only into the environment of its module', async ({ device }) => {
  await device.up();
  const { out } = await runAsync(['seal', '--data', device.data], 'hunter2\n');
  const secrets = { TOKEN: out.trim() };
  await succeeds(
    device.apply(quickManifest({ modules: { m: sleeper(1001, { secrets }), other: sleeper(1002) } })),
  );
  const pids = await device.pids();
  const environmentOf = (pid: number | undefined): string => readFileSync(`/proc/${pid}/environ`, 'latin1');
  assert.ok(environmentOf(pids['m']).split('\0').includes('TOKEN=hunter2'));
  assert.not(environmentOf(pids['other']).includes('hunter2'));
  assert.not(environmentOf(device.hub().process.pid).includes('hunter2'));
  assert.not(JSON.stringify(await device.status()).includes('hunter2'));
  const changed = await runAsync(['seal', '--to', `${device.data}/keys/device.pub`], 'hunter3\n');
  await succeeds(
    device.apply(
      quickManifest({
        modules: { m: sleeper(1001, { secrets: { TOKEN: changed.out.trim() } }), other: sleeper(1002) },
      }),
    ),
  );
  const after = await device.pids();
  assert.ok(environmentOf(after['m']).includes('TOKEN=hunter3'));
  assert.is(after['other'], pids['other']);
});

/** Writes a pack with one bundle whose program is `script`. */
async function packOf(
  device: TestDevice,
  name: string,
  script: string,
): Promise<{ readonly file: string; readonly sha256: string }> {
  const bytes = gzipSync(archive({ name: 'bin/app', content: `#!/bin/sh\n${script}\n`, mode: 0o755 }));
  mkdirSync(device.at(name));
  writeFileSync(device.at(`${name}/app.tar.gz`), bytes);
  const modules = { m: { exec: ['bin/app'], io: 'lines', restart: 'never', bundle: { from: 'app.tar.gz' } } };
  device.write(
    `${name}/manifest.json`,
    quickManifest({ modules, deployment: { healthyFor: '1s', within: '10s' } }),
  );
  const file = device.at(`${name}.skerry`);
  await succeeds(runAsync(['pack', device.at(`${name}/manifest.json`), '-o', file]));
  rmSync(device.at(name), { recursive: true });
  return { file, sha256: sha256Of(bytes) };
}

deployments(
  'a module of a pack runs from its bundle, and bundles that no deployment uses are deleted',
  async ({ device }) => {
    await device.up();
    const bundles = (): string[] =>
      readdirSync(`${device.data}/bundles`).filter(name => !name.startsWith('.'));
    const folderOf = async (): Promise<string> => readlinkSync(`/proc/${(await device.pids())['m']}/cwd`);
    const [first, crashing, second] = [
      await packOf(device, 'first', 'exec sleep 1001'),
      await packOf(device, 'crashing', 'sleep 0.3; exit 3'),
      await packOf(device, 'second', 'exec sleep 1002'),
    ];
    await succeeds(device.command('apply', first.file));
    assert.is(await folderOf(), `${device.data}/bundles/${first.sha256}`);
    // The medium with the pack is removed.
    rmSync(first.file);
    const { code, err } = await device.command('apply', crashing.file);
    assert.is(code, 1);
    assert.match(err, /Module "m" has failed: exit 3\. Rolled back to the last healthy deployment/);
    assert.is(await folderOf(), `${device.data}/bundles/${first.sha256}`);
    assert.equal(bundles(), [first.sha256]);
    await device.restart('SIGKILL');
    await until('it runs', () => device.hub().log().includes('Module "m" started'));
    assert.is(await folderOf(), `${device.data}/bundles/${first.sha256}`);
    await succeeds(device.command('apply', second.file));
    assert.is(await folderOf(), `${device.data}/bundles/${second.sha256}`);
    assert.equal(bundles(), [second.sha256]);
  },
);

deployments(
  '`skerry up` runs the last applied manifest, but runs the given manifest file if the file has changed',
  async ({ device }) => {
    const seconds = async (count: number, what: string): Promise<void> => {
      await until(what, () => device.commands().join() === `m: sleep ${count}`);
    };
    const given = (count: number): string =>
      device.write('given.json', quickManifest({ modules: { m: sleeper(count) } }));
    await device.up();
    assert.match(device.hub().log(), /Nothing is deployed yet/);
    assert.equal((await device.status()).modules, []);
    await succeeds(device.apply(quickManifest({ modules: { m: sleeper(1001) } })));
    await device.restart('SIGTERM');
    await seconds(1001, 'what was applied runs');
    given(1002);
    await device.restart('SIGTERM', 'given.json');
    await seconds(1002, 'what was given runs');
    await succeeds(device.apply(quickManifest({ modules: { m: sleeper(1003) } })));
    await device.restart('SIGKILL', 'given.json');
    await seconds(1003, 'the file is as it was: what was applied since runs');
    assert.match(device.hub().log(), /was applied after it/);
    given(1004);
    await device.restart('SIGTERM', 'given.json');
    await seconds(1004, 'the file has changed');
    await device.healthy();
    await succeeds(device.apply(quickManifest({ modules: { m: sleeper(1005) } })));
    for (const manifest of [undefined, 'given.json']) {
      await device.hub().end('SIGKILL');
      rmSync(`${device.data}/store`, { recursive: true });
      await device.up(manifest);
      await seconds(1005, 'a store that is lost takes nothing with it');
    }
  },
);

deployments.run();
