import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub } from '../../harness/binary.ts';

const ok = { name: 'a', listeners: [{ mqtt: '127.0.0.1:0' }] };
const sh = { exec: ['./started.sh'] };
const tls = { mqtts: '127.0.0.1:0', cert: 'c.pem', key: 'k.pem' };

/** Manifests that must be refused, each with its fault and the error sentence. */
const REFUSED: readonly (readonly [what: string, manifest: unknown, sentence: RegExp])[] = [
  ['invalid JSON', '{"name": "a",}', /not JSON.*line 1/],
  ['an array in place of the object', [], /name/],
  ['an unknown dialect', { ...ok, dialect: 'aws' }, /^dialect must be "skerry" or "azure"/],
  ['no name', {}, /^name is missing/],
  ['a name with a slash', { ...ok, name: 'a/b' }, /^name must be/],
  ['an unknown field', { ...ok, modlues: {} }, /^modlues is an unknown field/],
  ['a module without exec', { ...ok, modules: { m: {} } }, /^modules\.m\.exec is missing/],
  [
    'an unknown field of a module',
    { ...ok, modules: { m: { ...sh, limit: {} } } },
    /^modules\.m\.limit is an unknown field/,
  ],
  [
    'a memory limit that is not a size',
    { ...ok, modules: { m: { ...sh, limits: { memory: 'much' } } } },
    /^modules\.m\.limits\.memory must be a size such as "512M"/,
  ],
  [
    'an unknown limit',
    { ...ok, modules: { m: { ...sh, limits: { disk: '1G' } } } },
    /^modules\.m\.limits\.disk is an unknown field/,
  ],
  [
    'a limit of zero processors',
    { ...ok, modules: { m: { ...sh, limits: { cpu: 0 } } } },
    /^modules\.m\.limits\.cpu must be at least 0\.01/,
  ],
  [
    'an unknown sandbox level',
    { ...ok, modules: { m: { ...sh, sandbox: 'tight' } } },
    /^modules\.m\.sandbox must be "none", "standard" or "strict"/,
  ],
  [
    'a device outside of /dev',
    { ...ok, modules: { m: { ...sh, devices: ['/dev/../etc/shadow'] } } },
    /^modules\.m\.devices\[0\] must be a device such as/,
  ],
  [
    'an unknown restart policy',
    { ...ok, modules: { m: { ...sh, restart: 'maybe' } } },
    /^modules\.m\.restart must be/,
  ],
  [
    'a health check of two kinds',
    { ...ok, modules: { m: { ...sh, health: { tcp: 80, mqtt: true } } } },
    /^modules\.m\.health must name one of "exec", "tcp" and "mqtt"/,
  ],
  [
    'a health check on port 0',
    { ...ok, modules: { m: { ...sh, health: { tcp: 0 } } } },
    /^modules\.m\.health\.tcp must be at least 1/,
  ],
  [
    'a decreasing back-off',
    { ...ok, modules: { m: { ...sh, backoff: { factor: 0.5 } } } },
    /^modules\.m\.backoff\.factor/,
  ],
  [
    'a number as an environment variable',
    { ...ok, modules: { m: { ...sh, env: { A: 1 } } } },
    /^modules\.m\.env\.A must be/,
  ],
  [
    'a priority out of range',
    { ...ok, routes: { r: { route: 'FROM /* INTO topic("t")', priority: 10 } } },
    /^routes\.r\.priority must be 0 to 9/,
  ],
  [
    'a ttl with an unknown unit',
    { ...ok, storeAndForward: { ttl: '7 weeks' } },
    /^storeAndForward\.ttl must be a time/,
  ],
  [
    'a listener without a port',
    { ...ok, listeners: [{ mqtt: 'localhost' }] },
    /^listeners\[0\]\.mqtt must be "host:port"/,
  ],
  [
    'a listener without a protocol',
    { ...ok, listeners: [{}] },
    /^listeners\[0\] must have exactly one of "mqtt", /,
  ],
  [
    'a listener with two protocols',
    { ...ok, listeners: [{ mqtt: '127.0.0.1:0', ws: '127.0.0.1:0' }] },
    /^listeners\[0\] must have exactly one of "mqtt", /,
  ],
  [
    'a listener that is a string',
    { ...ok, listeners: ['127.0.0.1:0'] },
    /^listeners\[0\] must be an object such as/,
  ],
  [
    'a TLS listener without a certificate',
    { ...ok, listeners: [{ mqtts: '127.0.0.1:0' }] },
    /^listeners\[0\]\.cert is missing/,
  ],
  [
    'a certificate for a listener without TLS',
    { ...ok, listeners: [{ ws: '127.0.0.1:0', cert: 'c.pem' }] },
    /^listeners\[0\]\.cert is an unknown field/,
  ],
  [
    'required client certificates without a CA',
    { ...ok, listeners: [{ ...tls, clientCertificates: 'required' }] },
    /^listeners\[0\]\.ca is missing: set the file with the CA/,
  ],
  [
    'a CA for a listener without client certificates',
    { ...ok, listeners: [{ ...tls, ca: 'ca.pem' }] },
    /^listeners\[0\]\.ca is for client certificates: set/,
  ],
  [
    'an origin with a path',
    { ...ok, listeners: [{ ws: '127.0.0.1:0', origins: ['https://a/b'] }] },
    /^listeners\[0\]\.origins\[0\] must be an origin/,
  ],
  [
    'a socket mode with execute permission',
    { ...ok, listeners: [{ unix: 's', mode: '0777' }] },
    /^listeners\[0\]\.mode must be "0600"/,
  ],
  [
    'a plain-text password, which the error does not repeat,',
    { ...ok, users: { u: { password: 'hunter2' } } },
    /^users\.u\.password must be a line that "skerry passwd" prints\.$/m,
  ],
  [
    'a user without a password and a certificate',
    { ...ok, users: { u: {} } },
    /^users\.u must have a "password" or a "certificate"/,
  ],
  ['an invalid user name', { ...ok, users: { 'a/b': { certificate: 'x' } } }, /^users\.a\/b must be 1 to 64/],
  [
    'a user with the name of a module',
    { ...ok, modules: { m: sh }, users: { m: { certificate: 'x' } } },
    /^users\.m is the name of a module/,
  ],
  [
    'two users with the same certificate',
    { ...ok, users: { u: { certificate: 'x' }, v: { certificate: 'x' } } },
    /^users\.v\.certificate is that of user "u"/,
  ],
  [
    'a grant that is not a topic filter',
    { ...ok, users: { u: { certificate: 'x', subscribe: ['a', 'a#'] } } },
    /^users\.u\.subscribe\[1\] must be a topic filter, and is "a#"/,
  ],
  [
    'a grant to publish on an output of a module',
    { ...ok, anonymous: { publish: ['modules/m/outputs/o'] } },
    /^anonymous\.publish\[0\] cannot be granted/,
  ],
  [
    'a grant that is not an array',
    { ...ok, modules: { m: { ...sh, publish: 'a' } } },
    /^modules\.m\.publish must be an array of topic filters/,
  ],
  [
    'an upstream URL that is not an MQTT address',
    { ...ok, upstream: { url: 'ftp://x' } },
    /^upstream\.url must be an address/,
  ],
];

const refusals = suite('e2e: bad input');

for (const [what, manifest, sentence] of REFUSED) {
  refusals(
    `a manifest with ${what} is refused with exit code 2 and one sentence that names the field`,
    () => {
      const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
      const folder = folderWith({ 'manifest.json': text, 'started.sh': '#!/bin/sh\ntouch started\n' });
      const { code, out, err } = run(['up', join(folder, 'manifest.json'), '--data', join(folder, 'data')]);
      assert.is(code, 2);
      assert.is(out, '');
      assert.match(err.replace(/^skerry: /, ''), sentence);
      removeFolder(folder);
    },
  );
}

refusals('a missing manifest is refused with exit code 2', () => {
  const { code, err } = run(['up', '/nonexistent/manifest.json']);
  assert.equal(
    [code, err],
    [2, 'skerry: The manifest /nonexistent/manifest.json cannot be read: no such file (ENOENT).\n'],
  );
});

refusals(
  'a hub that starts with a listener on a port in use exits with 1 before any module starts',
  async () => {
    const port = await freePort();
    const holder = createServer();
    await new Promise<void>(done => holder.listen(port, '127.0.0.1', done));
    const folder = folderWith({
      'manifest.json': JSON.stringify({
        ...ok,
        listeners: [{ mqtt: `127.0.0.1:${port}` }],
        modules: { m: sh },
      }),
      'started.sh': '#!/bin/sh\ntouch started\n',
    });
    const { code, err } = run(['up', join(folder, 'manifest.json'), '--data', join(folder, 'data')]);
    holder.close();
    assert.is(code, 1);
    assert.match(err, new RegExp(`Port ${port} on 127.0.0.1 is in use.*"listeners"`));
    assert.not.match(err, /started, pid/);
    removeFolder(folder);
  },
);

refusals(
  'a data folder in use by another hub is refused with exit code 1 and the pid of that hub',
  async () => {
    const folder = folderWith({ 'manifest.json': JSON.stringify(ok) });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const { code, err } = run(['up', join(folder, 'manifest.json'), '--data', join(folder, 'data')]);
    assert.is(code, 1);
    assert.match(err, new RegExp(`in use by another hub \\(pid ${hub.process.pid}\\)`));
    await hub.end('SIGKILL');
    const next = await startHub(folder, 'manifest.json', 'data');
    assert.is(await next.end('SIGTERM'), 0);
    removeFolder(folder);
  },
);

/** Wrong command lines, each with its error sentence. All end with exit code 2. */
const MISUSED: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
  [['fly'], /no command "fly"/],
  [['stauts'], /no command "stauts"\. Did you mean "skerry ps"\?/],
  [['queue', 'peak'], /no command "queue peak"\. Did you mean "skerry queue peek"\?/],
  [['--data', 'x', 'ps'], /Options come after the command/],
  [['up', 'a.json', 'b.json'], /"b\.json" is one argument too many\. Usage: skerry up/],
  [['up', 'a.json', '--dtaa', 'x'], /"skerry up" has no option --dtaa\. Did you mean --data\?/],
  [['up', '--data'], /The option --data needs a value, DIR\./],
  [['ps', '-json'], /has no option -json\. Did you mean --json\?/],
  [['ps', '--json=yes'], /The option --json has no value\./],
  [['passwd', 'secret'], /^(?!.*secret).*takes no arguments\./],
  [['pub', '-t', 'a/#', '-m', 'x'], /-t must name a topic/],
  [['pub', '-t', 'a/\u0001', '-m', 'x'], /-t must name a topic/],
  [['pub', '-t', 'a', '-m', 'x', '-i', 'b\u0085'], /-i contains the character U\+0085/],
  [['sub', '-t', 'a/\u007f'], /-t must name a topic filter/],
  [['pub', '-t', 'a'], /Give one of -m, -f, -s, -l and -n/],
  [['pub', '-t', 'a', '-m', 'x', '-q', '3'], /-q must be 0, 1 or 2/],
  [['sub'], /-t must name a topic filter/],
  [['sub', '-t', 'a', '-p', '99999'], /-p must be a port/],
  [['routes', 'check', 'FROM'], /route/],
  [['stop'], /<module> is missing\. Usage: skerry stop <module>/],
];

for (const [args, sentence] of MISUSED) {
  refusals(`"skerry ${args.join(' ')}" is refused with exit code 2`, () => {
    const { code, out, err } = run(args);
    assert.equal([code, out], [2, '']);
    assert.match(err, sentence);
  });
}

refusals(
  'a command without a running hub ends with exit code 1 and names the command that starts a hub',
  () => {
    const folder = folderWith({});
    for (const command of ['ps', 'queue', 'routes']) {
      const { code, err } = run([command, '--data', folder]);
      assert.is(code, 1);
      assert.match(err, /No hub answers.*skerry up/);
    }
    removeFolder(folder);
  },
);

refusals('`skerry pub` to an unreachable server ends with exit code 1 and names the address', () => {
  const { code, err } = run(['pub', '-p', '1', '-t', 'a', '-m', 'x']);
  assert.is(code, 1);
  assert.match(err, /127\.0\.0\.1:1/);
});

refusals.run();
