import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import { archive, sha256Of } from '../../harness/bundles/archives.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

const inspect = suite<{ device: TestDevice }>('e2e: check of programs and files before an apply');

inspect.before(async context => {
  const device = openTestDevice({ 'script.sh': '#!/opt/no-such-interpreter\n', plain: 'x', 'bad.pem': 'x' });
  context.device = device;
  writeFileSync(device.at('app.tar'), BUNDLE);
  device.write('good.json', quickManifest(HEALTHY));
  await device.up('good.json');
  await until('both run', () => device.commands().length === 2);
  await device.healthy();
});

inspect.after(({ device }) => device.close());

const BUNDLE = archive({ name: 'app', content: '#!/bin/sh\nexec sleep 1003\n', mode: 0o755 });
const bundle = { sha256: sha256Of(BUNDLE), from: 'app.tar' };
const HEALTHY = { modules: { kept: sleeper(1001), m: sleeper(1002) } };

const changed = (m: object): object => ({ modules: { kept: sleeper(1001), m: { io: 'lines', ...m } } });
const listener = (more: object): object => ({
  modules: { m: sleeper(1003) },
  listeners: [{ mqtts: '127.0.0.1:0', cert: 'bad.pem', key: 'bad.pem', ...more }],
});
const upstream = (tls: object): object => ({
  modules: { m: sleeper(1003) },
  upstream: { url: 'mqtts://parent.invalid', tls },
});

/** Manifests that would stop module "m" and lack something, each with the error sentence. */
const LACKING: readonly (readonly [what: string, manifest: object, sentence: RegExp])[] = [
  [
    'a program',
    changed({ exec: ['./door.sh'] }),
    /modules\.m\.exec cannot be run: No such file or directory \(ENOENT\): \S+door\.sh/,
  ],
  ['a program in PATH', changed({ exec: ['no-such-program'] }), /exec cannot be run: Command not found/],
  [
    'a program in the PATH of its module',
    changed({ exec: ['sleep', '1'], env: { PATH: '/opt' } }),
    /exec cannot be run: Command not found/,
  ],
  ['execute permission for a program', changed({ exec: ['./plain'] }), /plain is not executable/],
  [
    'the interpreter of a script',
    changed({ exec: ['./script.sh'] }),
    /exec cannot be run: .* names an interpreter/,
  ],
  [
    'a program in a bundle',
    changed({ exec: ['./gone'], bundle }),
    /exec cannot be run: No such file or directory \(ENOENT\): \S+gone/,
  ],
  [
    'the program of a health check',
    changed({ exec: ['sleep', '1003'], health: { exec: ['./check'] } }),
    /modules\.m\.health\.exec cannot be run: No such file or directory \(ENOENT\): \S+check/,
  ],
  [
    'a certificate',
    listener({ cert: 'gone.pem' }),
    /cert \(\S+gone\.pem\) cannot be read: the file does not exist/,
  ],
  [
    'a valid certificate',
    listener({}),
    /cert \(\S+bad\.pem\) (is empty|cannot be read|holds no certificate in PEM)/,
  ],
  [
    'the CA of an upstream',
    upstream({ ca: 'gone.pem' }),
    /upstream\.tls\.ca, \S+gone\.pem, cannot be read \(ENOENT\)/,
  ],
];

for (const [what, manifest, sentence] of LACKING) {
  inspect(`an apply of a manifest that lacks ${what} is refused and stops no module`, async ({ device }) => {
    const before = await device.pids();
    const { code, err } = await device.apply(quickManifest(manifest));
    assert.ok(code === 1 || code === 2, String(code));
    assert.match(err, sentence);
    assert.equal(await device.pids(), before);
    assert.not.match(device.hub().log(), /stop "m"/);
  });
}

inspect('an apply checks only the programs of changed modules', async ({ device }) => {
  const { kept } = await device.pids();
  const { code, err } = await device.apply(quickManifest(changed({ exec: ['./app'], bundle })));
  assert.equal([code, err], [0, '']);
  assert.is((await device.pids())['kept'], kept);
});

inspect.run();
