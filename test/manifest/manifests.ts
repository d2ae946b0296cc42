import fc from 'fast-check';
import { RESERVED_NAMES } from '../../src/manifest/json/check-json.ts';

/* Arbitrary valid manifests, as JSON values. */

const SHA = 'a'.repeat(64);
const SEALED = 'sealed:QUJD';

/** Arbitrary object with the required fields and any other of the given fields. */
function some(
  fields: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  required: string[] = [],
): fc.Arbitrary<object> {
  return fc.record(fields, { requiredKeys: required });
}

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/).filter(word => !RESERVED_NAMES.includes(word));
const variable = fc.stringMatching(/^[A-RT-Z_][A-Z0-9_]{0,8}$/);
const word = fc.string({ minLength: 1, maxLength: 12 }).filter(text => !text.includes('\0'));
const time = fc.oneof(
  fc.constantFrom('0s', '250ms', '90s', '1.5h', '2 h', '7d', 0, 5, 0.25, 1e9),
  fc.nat(10_000).map(count => `${count}m`),
);
const size = fc.oneof(
  fc.constantFrom('64K', '1.5G', '0.3M', 4096, '9007199254740991', Number.MAX_SAFE_INTEGER),
  fc.nat(10_000).map(count => `${count}M`),
);
const flag = fc.boolean();
const filters = fc.array(fc.constantFrom('a', 'a/#', '+/b', 'sensors/%u'), { maxLength: 3 });
const grants = { publish: filters, subscribe: filters };
const seconds = fc.double({ min: 0.1, max: 3600, noNaN: true });
const artifact = {
  sha256: fc.constant(SHA),
  from: fc.constantFrom('a.tar.gz', './b/c', 'https://a.example/x?y'),
};
const every = { everySeconds: seconds, timeoutSeconds: seconds, threshold: fc.integer({ min: 1, max: 100 }) };

const module = some(
  {
    exec: fc.array(word, { minLength: 1, maxLength: 4 }),
    bundle: some({ ...artifact, size, files: fc.integer({ min: 1, max: 1e6 }) }, ['sha256']),
    io: fc.constantFrom('lines', 'mqtt'),
    env: fc.dictionary(
      variable.map(text => `E${text}`),
      word,
      { maxKeys: 3 },
    ),
    secrets: fc.dictionary(
      variable.map(text => `X${text}`),
      fc.oneof(
        fc.constant(SEALED),
        some({ sealed: fc.constant(SEALED), as: fc.constantFrom('variable', 'file') }, ['sealed']),
      ),
      { maxKeys: 3 },
    ),
    restart: fc.constantFrom('never', 'on-failure', 'on-unhealthy', 'always'),
    startupOrder: fc.maxSafeInteger().map(order => order % 2 ** 32),
    stopSignal: fc.constantFrom('SIGTERM', 'SIGINT', 'SIGKILL'),
    stopGraceSeconds: seconds,
    tty: flag,
    backoff: some({
      firstSeconds: fc.constantFrom(0.1, 5, 60),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      resetSeconds: fc.constant(90),
    }),
    health: fc.oneof(
      some({ exec: fc.array(word, { minLength: 1, maxLength: 2 }), ...every }, ['exec']),
      some({ tcp: fc.integer({ min: 1, max: 65_535 }), mqtt: fc.constant(false), ...every }, ['tcp']),
      some({ mqtt: fc.constant(true), ...every, readySeconds: seconds }, ['mqtt']),
    ),
    limits: fc.oneof(
      some({
        memory: fc.constantFrom('32M', '1G', 5_000_000, 2 ** 40),
        memoryHigh: fc.constantFrom('1M', 1_048_577),
      }),
      some({
        cpu: fc.constantFrom(0.01, 0.5, 4),
        pids: fc.integer({ min: 1, max: 99 }),
        ioWeight: fc.constant(50),
      }),
    ),
    sandbox: fc.constantFrom(
      'none',
      'standard',
      'strict',
      { level: 'strict' },
      { level: 'none', network: 'host' },
    ),
    user: word,
    devices: fc.uniqueArray(fc.constantFrom('/dev/i2c-1', '/dev/ttyS0', '/dev/snd/seq')),
    require: flag,
    ...grants,
  },
  ['exec'],
);

const route = fc.constantFrom('FROM /* INTO $upstream', 'FROM /messages/modules/m/outputs/* INTO topic("t")');
const webs = {
  path: fc.constantFrom('/', '/mqtt'),
  origins: fc.constantFrom([], ['https://a.example', 'http://b:8080']),
  hosts: fc.constantFrom([], ['hub', 'hub.example.com']),
};
const plainTls = { cert: fc.constant('c.pem'), key: fc.constant('k.pem') };
const clientTls = {
  ...plainTls,
  ca: fc.constant('ca.pem'),
  clientCertificates: fc.constantFrom('optional', 'required'),
  crl: fc.constant('revoked.pem'),
};
const address = (port: number): fc.Arbitrary<string> =>
  fc.constantFrom('127.0.0.1', '[::1]', 'localhost', '[::ffff:10.0.0.1]').map(host => `${host}:${port}`);

const listeners = fc.subarray([0, 1, 2, 3, 4, 5, 6]).chain(chosen => {
  const kinds: fc.Arbitrary<unknown>[] = [
    some({ mqtt: address(1883), maxConnections: fc.constantFrom(1, 10_240) }, ['mqtt']),
    some({ mqtt: address(0) }, ['mqtt']),
    some({ mqtts: address(8883), ...plainTls }, ['mqtts', 'cert', 'key']),
    some({ mqtts: address(8884), ...clientTls }, ['mqtts', 'cert', 'key', 'ca', 'clientCertificates']),
    some({ ws: address(80), ...webs }, ['ws']),
    some({ wss: address(443), ...webs, ...plainTls, clientCertificates: fc.constant('none') }, [
      'wss',
      'cert',
      'key',
    ]),
    some({ unix: fc.constantFrom('mqtt.sock', '/run/a'), mode: fc.constantFrom('0600', '0660', '0666') }, [
      'unix',
    ]),
  ];
  return fc.tuple(...kinds.filter((_, at) => chosen.includes(at)));
});

const upstreamUrl = fc
  .constantFrom('parent', 'parent:2883', 'u@parent', 'u:p%40s%2Fs%25@parent', ':p@[::1]:1884', 'PARENT/')
  .map(rest => `mqtts://${rest}`);
const upstreamFields = {
  username: fc.constant('u'),
  password: fc.constant('sealed:QUJD'),
  profile: fc.constantFrom('mqtt', 'skerry'),
  topic: fc.constantFrom('{device}/{module}/{output}', 'plant/{topic}', '$aws/x'),
  exactlyOnce: fc.boolean(),
  window: fc.integer({ min: 1, max: 1024 }),
  keepAlive: fc.constantFrom('1s', '18h', 65_535),
  priorities: fc.constantFrom('weighted', 'strict'),
  clientId: word,
  tls: some({
    ca: fc.constant('ca.pem'),
    fingerprint: fc.constantFrom(SHA, SHA.replace(/..(?!$)/g, '$&:').toUpperCase()),
    serverName: fc.constant('parent.example'),
    alpn: fc.constant(['mqtt']),
  }),
  down: fc.subarray(['commands/#', '+/a', '#', '$aws/x']),
  budget: fc.constantFrom('64K', '10M', 100_000),
  interval: time,
  schedule: fc.subarray(['02:00-04:30', '22:00-00:00']),
};
const upstream = fc.oneof(
  fc.tuple(upstreamUrl, some(upstreamFields, ['username'])).map(([url, fields]) => ({
    url: 'tls' in fields ? url : url.replace('mqtts', 'mqtt'),
    ...fields,
  })),
  fc
    .tuple(fc.array(upstreamUrl, { minLength: 1, maxLength: 4 }), some(upstreamFields, ['username']))
    .map(([urls, fields]) => ({ urls, ...fields })),
);

/** Arbitrary valid manifests that use all fields. */
export const manifest = some(
  {
    $schema: fc.constant('./skerry.schema.json'),
    name,
    serial: fc.integer({ min: 1 }),
    for: fc.array(fc.constantFrom('a', '*', 'shop-*', '*-cam', 'a*b'), { minLength: 1, maxLength: 3 }),
    signature: fc.constant({ key: `${'A'.repeat(43)}=`, value: `${'A'.repeat(86)}==` }),
    dialect: fc.constantFrom('skerry', 'azure'),
    modules: fc.dictionary(name, module, { maxKeys: 3 }),
    routes: fc.dictionary(name, fc.oneof(route, some({ route, priority: fc.nat(9), ttl: time }, ['route'])), {
      maxKeys: 3,
    }),
    storeAndForward: some({
      ttl: time,
      maxSize: fc.constantFrom('8M', '1G', 10_000_000),
      maxQueueSize: fc.constantFrom('1M', 0, 4097, '2T'),
      whenFull: fc.constantFrom('reject', 'dropOldest'),
      commitWindow: fc.constantFrom('0ms', '10s', 0.1),
    }),
    listeners,
    users: fc.dictionary(
      fc.constantFrom('u', 'a@b', 'c.d'),
      fc.oneof(
        some({ password: fc.constant('$scrypt$x'), ...grants }, ['password']),
        some({ certificate: word, ...grants }, ['certificate']),
      ),
    ),
    anonymous: some(grants),
    deployment: some({ healthyFor: fc.constantFrom('1s', 5), within: fc.constantFrom('10s', '1h', 90) }),
    hub: some({ x64: some(artifact, ['sha256']), arm64: some(artifact, ['sha256']) }),
    limits: some({
      packetSize: fc.constantFrom('1K', '1M', 2000),
      keepAlive: fc.constantFrom('1s', '18h', 90),
      connections: fc.integer({ min: 1, max: 10_240 }),
      sessions: fc.integer({ min: 1, max: 1_000_000 }),
      subscriptionBytes: fc.constantFrom('1K', '1G', 5000),
      retained: fc.integer({ min: 1, max: 1_000_000 }),
      retainedBytes: fc.constantFrom('1K', '1G', 5000),
    }),
    retained: fc.boolean(),
    upstream,
    upstreams: fc.dictionary(
      fc.oneof(fc.constant('upstream'), name),
      upstream.map(fields => ({ ...fields, clientId: undefined })),
      { maxKeys: 3 },
    ),
  },
  ['name'],
).map(fields => ('upstreams' in fields ? { ...fields, upstream: undefined } : fields));
