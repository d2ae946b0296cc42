import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive } from '../../harness/bundles/archives.ts';
import { openTestDevice, runAside, soon, type TestDevice, waiting } from '../../harness/device.ts';

type Context = { site: TestDevice };

const refused = suite<Context>('e2e: what is not applied');

refused.before.each(async context => {
  const site = openTestDevice();
  context.site = site;
  site.write('good.json', soon({ modules: { m: waiting(1001), n: waiting(1002) } }));
  await site.up('good.json');
  await site.healthy();
});

refused.after.each(({ site }) => site.close());

/** The file is refused by exit 2 with one sentence, and all that runs is untouched. */
async function refuses(site: TestDevice, file: string, sentence: RegExp): Promise<void> {
  const [pids, { deployment }] = [await site.pids(), await site.status()];
  const { code, out, err } = await site.command('apply', site.at(file));
  assert.equal([code, out], [2, ''], err);
  // A route is shown below its sentence.
  assert.match(err, /^skerry: [^\n]+\n( {2}.*\n)*$/);
  assert.match(err, sentence);
  assert.equal([await site.pids(), (await site.status()).deployment], [pids, deployment], file);
}

const GOOD = { name: 'edge', listeners: [] };
const sha256 = 'a'.repeat(64);

const TEXTS: readonly (readonly [what: string, text: string, sentence: RegExp])[] = [
  [
    'an unknown field',
    JSON.stringify({ ...GOOD, modlues: {} }),
    /^skerry: modlues is an unknown field.*modules/,
  ],
  ['a wrong type', JSON.stringify({ ...GOOD, modules: [] }), /^skerry: modules must be an object/],
  ['an impossible value', JSON.stringify({ ...GOOD, serial: -1 }), /^skerry: serial must be/],
  [
    'a duplicate name',
    '{"name":"edge","modules":{"m":{"exec":["x"]},"m":{"exec":["y"]}}}',
    /modules\.m is duplicated/,
  ],
  [
    'a user with the name of a module',
    JSON.stringify({ ...GOOD, modules: { m: waiting(1) }, users: { m: { certificate: 'x' } } }),
    /users\.m is the name of a module/,
  ],
  [
    'a route to a module that is not there',
    JSON.stringify({ ...GOOD, routes: { r: 'FROM /* INTO BrokeredEndpoint("/modules/no/inputs/a")' } }),
    /routes\.r goes INTO an input of module "no", which/,
  ],
  [
    'a route that is none',
    JSON.stringify({ ...GOOD, routes: { r: 'FROM' } }),
    /column 5: the route ends too early/,
  ],
  [
    'a route up without an upstream',
    JSON.stringify({ ...GOOD, routes: { r: 'FROM /* INTO $upstream' } }),
    /upstream/,
  ],
  ['no JSON', '{"name":', /is not JSON/],
  ['nothing', '', /not/],
  [
    'a bundle that is not there',
    JSON.stringify({ ...GOOD, modules: { m: { exec: ['x'], bundle: { sha256, from: 'gone' } } } }),
    /gone: no such file \(ENOENT\)/,
  ],
  [
    'a bundle without a place',
    JSON.stringify({ ...GOOD, modules: { m: { exec: ['x'], bundle: { sha256 } } } }),
    /modules\.m\.bundle has no "from"/,
  ],
];

for (const [what, text, sentence] of TEXTS.slice(0, -2)) {
  refused(`${what}: exit 2, one sentence, and what runs is untouched`, async ({ site }) => {
    writeFileSync(site.at('bad.json'), text);
    await refuses(site, 'bad.json', sentence);
  });
}

for (const [what, text, sentence] of TEXTS.slice(-2)) {
  refused(`${what}: exit 2, one sentence, and what runs keeps its processes`, async ({ site }) => {
    writeFileSync(site.at('bad.json'), text);
    const [pids, { deployment }] = [await site.pids(), await site.status()];
    const { code, err } = await site.command('apply', site.at('bad.json'));
    assert.is(code, 2);
    assert.match(err, /^skerry: [^\n]+\n$/);
    assert.match(err, sentence);
    assert.equal(await site.pids(), pids);
    const { current, healthy, attempt } = (await site.status()).deployment;
    assert.equal([current, healthy, attempt], [deployment.current, deployment.healthy, undefined]);
  });
}

refused('a file that is not there, a folder, a pack that is cut or changed', async ({ site }) => {
  await refuses(site, 'nowhere.json', /nowhere\.json.*no such file/);
  await refuses(site, '.', /./);
  writeFileSync(
    site.at('app.tar.gz'),
    gzipSync(archive({ name: 'app', content: 'x'.repeat(5000), mode: 0o755 })),
  );
  site.write('packed.json', soon({ modules: { m: { exec: ['app'], bundle: { from: 'app.tar.gz' } } } }));
  const packed = await runAside(['pack', site.at('packed.json'), '-o', site.at('whole.skerry')]);
  assert.is(packed.code, 0);
  const whole = readFileSync(site.at('whole.skerry'));
  for (const length of [100, 512, 700, whole.length - 1100]) {
    writeFileSync(site.at('cut.skerry'), whole);
    truncateSync(site.at('cut.skerry'), length);
    await refuses(site, 'cut.skerry', /./);
  }
});

refused('a bundle of another hash, by a pack or by a path: nothing is stopped for it', async ({ site }) => {
  writeFileSync(site.at('app.tar.gz'), gzipSync(archive({ name: 'app', content: 'x', mode: 0o755 })));
  const pids = await site.pids();
  const manifest = soon({ modules: { m: { exec: ['app'], bundle: { sha256, from: 'app.tar.gz' } } } });
  const { code, err } = await site.apply(manifest);
  assert.is(code, 2);
  assert.match(err, /^skerry: modules\.m\.bundle.*a{64}/);
  assert.equal(await site.pids(), pids);
});

refused.run();
