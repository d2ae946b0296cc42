import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { archive, sha256Of } from '../../harness/bundles/archives.ts';
import { openTestDevice, soon, type TestDevice, waiting } from '../../harness/device.ts';

const inspect = suite<{ site: TestDevice }>('e2e: programs and files are checked before anything stops');

inspect.before(async context => {
  const site = openTestDevice({ 'script.sh': '#!/opt/no-such-interpreter\n', plain: 'x', 'bad.pem': 'x' });
  context.site = site;
  writeFileSync(site.at('app.tar'), BUNDLE);
  site.write('good.json', soon(GOOD));
  await site.up('good.json');
  await until('both run', () => site.commands().length === 2);
  await site.healthy();
});

inspect.after(({ site }) => site.close());

const BUNDLE = archive({ name: 'app', content: '#!/bin/sh\nexec sleep 1003\n', mode: 0o755 });
const bundle = { sha256: sha256Of(BUNDLE), from: 'app.tar' };
const GOOD = { modules: { kept: waiting(1001), m: waiting(1002) } };

const changed = (m: object): object => ({ modules: { kept: waiting(1001), m: { io: 'lines', ...m } } });
const listener = (more: object): object => ({
  modules: { m: waiting(1003) },
  listeners: [{ mqtts: '127.0.0.1:0', cert: 'bad.pem', key: 'bad.pem', ...more }],
});
const upstream = (tls: object): object => ({
  modules: { m: waiting(1003) },
  upstream: { url: 'mqtts://parent.invalid', tls },
});

/** Manifests that lack something, each of which would stop module "m". */
const LACKING: readonly (readonly [what: string, manifest: object, sentence: RegExp])[] = [
  [
    'a program',
    changed({ exec: ['./door.sh'] }),
    /modules\.m\.exec cannot be run: No such file or directory \(ENOENT\): \S+door\.sh/,
  ],
  ['a program of PATH', changed({ exec: ['no-such-program'] }), /exec cannot be run: Command not found/],
  [
    'a program of a PATH of its own',
    changed({ exec: ['sleep', '1'], env: { PATH: '/opt' } }),
    /exec cannot be run: Command not found/,
  ],
  ['the right to run it', changed({ exec: ['./plain'] }), /plain is not executable/],
  ['an interpreter', changed({ exec: ['./script.sh'] }), /exec cannot be run: .* names an interpreter/],
  [
    'a program in its bundle',
    changed({ exec: ['./gone'], bundle }),
    /exec cannot be run: No such file or directory \(ENOENT\): \S+gone/,
  ],
  [
    'the program of its health check',
    changed({ exec: ['sleep', '1003'], health: { exec: ['./check'] } }),
    /modules\.m\.health\.exec cannot be run: No such file or directory \(ENOENT\): \S+check/,
  ],
  [
    'a certificate',
    listener({ cert: 'gone.pem' }),
    /cert \(\S+gone\.pem\) cannot be read: the file does not exist/,
  ],
  [
    'a certificate that is one',
    listener({}),
    /cert \(\S+bad\.pem\) (is empty|cannot be read|holds no certificate in PEM)/,
  ],
  [
    "an upstream's authority",
    upstream({ ca: 'gone.pem' }),
    /upstream\.tls\.ca, \S+gone\.pem, cannot be read \(ENOENT\)/,
  ],
];

for (const [what, manifest, sentence] of LACKING) {
  inspect(`a manifest that lacks ${what} stops no module`, async ({ site }) => {
    const before = await site.pids();
    const { code, err } = await site.apply(soon(manifest));
    assert.ok(code === 1 || code === 2, String(code));
    assert.match(err, sentence);
    assert.equal(await site.pids(), before);
    assert.not.match(site.hub().log(), /stop "m"/);
  });
}

inspect('a module that is kept is not checked again', async ({ site }) => {
  const { kept } = await site.pids();
  const { code, err } = await site.apply(soon(changed({ exec: ['./app'], bundle })));
  assert.equal([code, err], [0, '']);
  assert.is((await site.pids())['kept'], kept);
});

inspect.run();
