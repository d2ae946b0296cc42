import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { archive, sha256Of } from '../../harness/bundles/archives.ts';
import {
  type Ended,
  openTestDevice,
  runAside,
  soon,
  type TestDevice,
  waiting,
} from '../../harness/device.ts';

type Context = { site: TestDevice };

const kept = suite<Context>('e2e: signed, packed and kept');

kept.before.each(context => {
  context.site = openTestDevice();
});

kept.after.each(({ site }) => site.close());

async function good(ended: Promise<Ended>): Promise<string> {
  const { code, out, err } = await ended;
  assert.equal([code, err], [0, ''], out);
  return out;
}

async function bad(ended: Promise<Ended>, sentence: RegExp): Promise<void> {
  const { code, out, err } = await ended;
  assert.equal([code, out], [2, ''], err);
  assert.match(err, sentence);
}

kept('signed manifests: only those of a trusted key, with a rising serial', async ({ site }) => {
  for (const name of ['alice', 'bob']) await good(runAside(['keygen', '--out', site.at(name)]));
  await site.up();
  const versionOf = (serial: number): object =>
    soon({ serial, for: ['edge'], modules: { m: waiting(1000 + serial) } });
  const signed = async (serial: number, who = 'alice'): Promise<string> => {
    site.write(`${serial}.json`, versionOf(serial));
    const out = site.at(`${serial}.${who}.json`);
    await good(runAside(['sign', site.at(`${serial}.json`), '--key', site.at(`${who}.key`), '--out', out]));
    return out;
  };
  const apply = (file: string): Promise<Ended> => site.command('apply', file);
  const runs = (serial: number): void => assert.equal(site.commands(), [`m: sleep ${1000 + serial}`]);
  await good(site.command('trust', site.at('alice.pub')));
  await good(apply(await signed(5)));
  runs(5);
  await bad(site.apply(versionOf(6)), /signature is missing/);
  await bad(apply(await signed(6, 'bob')), /signature\.key is not a key/);
  const text = readFileSync(await signed(7), 'utf8');
  writeFileSync(site.at('changed.json'), text.replace('1007', '1008'));
  await bad(apply(site.at('changed.json')), /signature/);
  await bad(apply(await signed(4)), /serial is 4, but 5 was applied already: use a higher one/);
  runs(5);
  await good(apply(await signed(6)));
  runs(6);
  await bad(apply(site.at('5.alice.json')), /serial is 5, but 6 was applied already/);
  assert.match(await good(apply(site.at('6.alice.json'))), /nothing to change/);
  // Neither a restart nor the loss of the store makes it forget.
  await site.hub().end('SIGKILL');
  rmSync(`${site.data}/store`, { recursive: true });
  await site.up();
  await until('it runs again', () => site.commands().length === 1);
  await bad(apply(site.at('5.alice.json')), /serial is 5, but 6 was applied already/);
  runs(6);
});

kept('a manifest for other devices is refused, and accepted by those it names', async ({ site }) => {
  const manifest = (name: string, devices: readonly string[], seconds: number): object =>
    soon({ name, for: devices, modules: { m: waiting(seconds) } });
  await site.up();
  // A device that runs nothing yet takes the name of its first manifest.
  await bad(site.apply(manifest('edge', ['floor1'], 1001)), /is for "floor1", but this device is "edge"/);
  await good(site.apply(manifest('edge', ['shop-*', 'ed*'], 1002)));
  await bad(
    site.apply(manifest('floor1', ['floor1', 'edg', '*edgy'], 1003)),
    /The manifest is for "floor1", "edg" or "\*edgy", but this device is "edge": apply the manifest for this/,
  );
  assert.equal(site.commands(), ['m: sleep 1002']);
  await good(site.apply(manifest('floor1', ['edge'], 1004)));
  await bad(site.apply(manifest('edge', ['edge'], 1005)), /this device is "floor1"/);
  await site.hub().end('SIGTERM');
  const up = (...args: readonly string[]): Promise<Ended> =>
    site.command('up', site.write('given.json', manifest('floor1', ['floor1'], 1006)), ...args);
  await bad(up('--name', 'floor2'), /this device is "floor2"/);
  await bad(up('--name', 'a b'), /--name must be 1 to 64 letters/);
});

kept('a sealed secret is in the environment of its module, and nowhere else', async ({ site }) => {
  await site.up();
  const { out } = await runAside(['seal', '--data', site.data], 'hunter2\n');
  const secrets = { TOKEN: out.trim() };
  await good(site.apply(soon({ modules: { m: waiting(1001, { secrets }), other: waiting(1002) } })));
  const pids = await site.pids();
  const environmentOf = (pid: number | undefined): string => readFileSync(`/proc/${pid}/environ`, 'latin1');
  assert.ok(environmentOf(pids['m']).split('\0').includes('TOKEN=hunter2'));
  assert.not(environmentOf(pids['other']).includes('hunter2'));
  assert.not(environmentOf(site.hub().process.pid).includes('hunter2'));
  assert.not(JSON.stringify(await site.status()).includes('hunter2'));
  const changed = await runAside(['seal', '--to', `${site.data}/keys/device.pub`], 'hunter3\n');
  await good(
    site.apply(
      soon({
        modules: { m: waiting(1001, { secrets: { TOKEN: changed.out.trim() } }), other: waiting(1002) },
      }),
    ),
  );
  const after = await site.pids();
  assert.ok(environmentOf(after['m']).includes('TOKEN=hunter3'));
  assert.is(after['other'], pids['other']);
});

/** A pack with one bundle, whose program is this script. */
async function packOf(
  site: TestDevice,
  name: string,
  script: string,
): Promise<{ readonly file: string; readonly sha256: string }> {
  const bytes = gzipSync(archive({ name: 'bin/app', content: `#!/bin/sh\n${script}\n`, mode: 0o755 }));
  mkdirSync(site.at(name));
  writeFileSync(site.at(`${name}/app.tar.gz`), bytes);
  const modules = { m: { exec: ['bin/app'], io: 'lines', restart: 'never', bundle: { from: 'app.tar.gz' } } };
  site.write(`${name}/manifest.json`, soon({ modules, deployment: { healthyFor: '1s', within: '10s' } }));
  const file = site.at(`${name}.skerry`);
  await good(runAside(['pack', site.at(`${name}/manifest.json`), '-o', file]));
  rmSync(site.at(name), { recursive: true });
  return { file, sha256: sha256Of(bytes) };
}

kept(
  'a pack: its module runs from the bundle; one that crashes goes back to the bundle of before, and old ones go',
  async ({ site }) => {
    await site.up();
    const bundles = (): string[] => readdirSync(`${site.data}/bundles`).filter(name => !name.startsWith('.'));
    const folderOf = async (): Promise<string> => readlinkSync(`/proc/${(await site.pids())['m']}/cwd`);
    const [first, crashing, second] = [
      await packOf(site, 'first', 'exec sleep 1001'),
      await packOf(site, 'crashing', 'sleep 0.3; exit 3'),
      await packOf(site, 'second', 'exec sleep 1002'),
    ];
    await good(site.command('apply', first.file));
    assert.is(await folderOf(), `${site.data}/bundles/${first.sha256}`);
    // The stick is pulled out.
    rmSync(first.file);
    const { code, err } = await site.command('apply', crashing.file);
    assert.is(code, 1);
    assert.match(err, /Module "m" has failed: exit 3\. Rolled back to the last healthy deployment/);
    assert.is(await folderOf(), `${site.data}/bundles/${first.sha256}`);
    assert.equal(bundles(), [first.sha256]);
    await site.again('SIGKILL');
    await until('it runs', () => site.hub().log().includes('Module "m" started'));
    assert.is(await folderOf(), `${site.data}/bundles/${first.sha256}`);
    await good(site.command('apply', second.file));
    assert.is(await folderOf(), `${site.data}/bundles/${second.sha256}`);
    assert.equal(bundles(), [second.sha256]);
  },
);

kept(
  'up without a manifest runs what was applied last; up with one takes it when it has changed',
  async ({ site }) => {
    const seconds = async (count: number, what: string): Promise<void> => {
      await until(what, () => site.commands().join() === `m: sleep ${count}`);
    };
    const given = (count: number): string =>
      site.write('given.json', soon({ modules: { m: waiting(count) } }));
    await site.up();
    assert.match(site.hub().log(), /Nothing is deployed yet/);
    assert.equal((await site.status()).modules, []);
    await good(site.apply(soon({ modules: { m: waiting(1001) } })));
    await site.again('SIGTERM');
    await seconds(1001, 'what was applied runs');
    given(1002);
    await site.again('SIGTERM', 'given.json');
    await seconds(1002, 'what was given runs');
    await good(site.apply(soon({ modules: { m: waiting(1003) } })));
    await site.again('SIGKILL', 'given.json');
    await seconds(1003, 'the file is as it was: what was applied since runs');
    assert.match(site.hub().log(), /, applied later, runs/);
    given(1004);
    await site.again('SIGTERM', 'given.json');
    await seconds(1004, 'the file has changed');
    await site.healthy();
    await good(site.apply(soon({ modules: { m: waiting(1005) } })));
    for (const manifest of [undefined, 'given.json']) {
      await site.hub().end('SIGKILL');
      rmSync(`${site.data}/store`, { recursive: true });
      await site.up(manifest);
      await seconds(1005, 'a store that is lost takes nothing with it');
    }
  },
);

kept.run();
