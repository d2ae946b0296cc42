import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive } from '../../harness/bundles/archives.ts';
import { openTestDevice, quickManifest, runAsync, sleeper, type TestDevice } from '../../harness/device.ts';

type Context = { device: TestDevice };

const refused = suite<Context>('e2e: refused manifests');

refused.before.each(async context => {
  const device = openTestDevice();
  context.device = device;
  device.write('good.json', quickManifest({ modules: { m: sleeper(1001), n: sleeper(1002) } }));
  await device.up('good.json');
  await device.healthy();
});

refused.after.each(({ device }) => device.close());

/** Asserts that a file is refused with exit code 2 and one sentence, and that the deployment is unchanged. */
async function assertRefused(device: TestDevice, file: string, sentence: RegExp): Promise<void> {
  const [pids, { deployment }] = [await device.pids(), await device.status()];
  const { code, out, err } = await device.command('apply', device.at(file));
  assert.equal([code, out], [2, ''], err);
  // The error of a route is followed by the text of the route.
  assert.match(err, /^skerry: [^\n]+\n( {2}.*\n)*$/);
  assert.match(err, sentence);
  assert.equal([await device.pids(), (await device.status()).deployment], [pids, deployment], file);
}

const VALID = { name: 'edge', listeners: [] };
const sha256 = 'a'.repeat(64);

const TEXTS: readonly (readonly [what: string, text: string, sentence: RegExp])[] = [
  [
    'an unknown field',
    JSON.stringify({ ...VALID, modlues: {} }),
    /^skerry: modlues is an unknown field.*modules/,
  ],
  [
    'a field of a wrong type',
    JSON.stringify({ ...VALID, modules: [] }),
    /^skerry: modules must be an object/,
  ],
  ['a value out of range', JSON.stringify({ ...VALID, serial: -1 }), /^skerry: serial must be/],
  [
    'a duplicate name',
    '{"name":"edge","modules":{"m":{"exec":["x"]},"m":{"exec":["y"]}}}',
    /modules\.m is duplicated/,
  ],
  [
    'a user with the name of a module',
    JSON.stringify({ ...VALID, modules: { m: sleeper(1) }, users: { m: { certificate: 'x' } } }),
    /users\.m is the name of a module/,
  ],
  [
    'a route to an unknown module',
    JSON.stringify({ ...VALID, routes: { r: 'FROM /* INTO BrokeredEndpoint("/modules/no/inputs/a")' } }),
    /routes\.r goes INTO an input of module "no", which/,
  ],
  [
    'an incomplete route',
    JSON.stringify({ ...VALID, routes: { r: 'FROM' } }),
    /column 5: unexpected end of the route/,
  ],
  [
    'a route to a missing upstream',
    JSON.stringify({ ...VALID, routes: { r: 'FROM /* INTO $upstream' } }),
    /upstream/,
  ],
  ['invalid JSON', '{"name":', /is not JSON/],
  ['no content', '', /not/],
  [
    'a missing bundle',
    JSON.stringify({ ...VALID, modules: { m: { exec: ['x'], bundle: { sha256, from: 'gone' } } } }),
    /gone: no such file \(ENOENT\)/,
  ],
  [
    'a bundle without a location',
    JSON.stringify({ ...VALID, modules: { m: { exec: ['x'], bundle: { sha256 } } } }),
    /modules\.m\.bundle has no "from"/,
  ],
];

for (const [what, text, sentence] of TEXTS.slice(0, -2)) {
  refused(
    `a manifest with ${what} is refused with exit code 2, and the running deployment is unchanged`,
    async ({ device }) => {
      writeFileSync(device.at('bad.json'), text);
      await assertRefused(device, 'bad.json', sentence);
    },
  );
}

for (const [what, text, sentence] of TEXTS.slice(-2)) {
  refused(
    `a manifest with ${what} is refused with exit code 2, and the running modules keep their processes`,
    async ({ device }) => {
      writeFileSync(device.at('bad.json'), text);
      const [pids, { deployment }] = [await device.pids(), await device.status()];
      const { code, err } = await device.command('apply', device.at('bad.json'));
      assert.is(code, 2);
      assert.match(err, /^skerry: [^\n]+\n$/);
      assert.match(err, sentence);
      assert.equal(await device.pids(), pids);
      const { current, healthy, attempt } = (await device.status()).deployment;
      assert.equal([current, healthy, attempt], [deployment.current, deployment.healthy, undefined]);
    },
  );
}

refused('`skerry apply` refuses a missing file, a folder and a truncated pack', async ({ device }) => {
  await assertRefused(device, 'nowhere.json', /nowhere\.json.*no such file/);
  await assertRefused(device, '.', /./);
  writeFileSync(
    device.at('app.tar.gz'),
    gzipSync(archive({ name: 'app', content: 'x'.repeat(5000), mode: 0o755 })),
  );
  device.write(
    'packed.json',
    quickManifest({ modules: { m: { exec: ['app'], bundle: { from: 'app.tar.gz' } } } }),
  );
  const packed = await runAsync(['pack', device.at('packed.json'), '-o', device.at('whole.skerry')]);
  assert.is(packed.code, 0);
  const whole = readFileSync(device.at('whole.skerry'));
  for (const length of [100, 512, 700, whole.length - 1100]) {
    writeFileSync(device.at('cut.skerry'), whole);
    truncateSync(device.at('cut.skerry'), length);
    await assertRefused(device, 'cut.skerry', /./);
  }
});

refused('`skerry apply` refuses a bundle with a wrong hash without stopping a module', async ({ device }) => {
  writeFileSync(device.at('app.tar.gz'), gzipSync(archive({ name: 'app', content: 'x', mode: 0o755 })));
  const pids = await device.pids();
  const manifest = quickManifest({
    modules: { m: { exec: ['app'], bundle: { sha256, from: 'app.tar.gz' } } },
  });
  const { code, err } = await device.apply(manifest);
  assert.is(code, 2);
  assert.match(err, /^skerry: modules\.m\.bundle.*a{64}/);
  assert.equal(await device.pids(), pids);
});

refused.run();
