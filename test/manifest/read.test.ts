import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { parseManifest } from '../../src/manifest/read.ts';

const reading = suite('manifest: reading');

reading('fields that are missing in a manifest have their default values', () => {
  assert.equal(parseManifest('{"name":"a","modules":{"m":{"exec":["./m"]}}}', 'm.json'), {
    name: 'a',
    modules: [
      {
        name: 'm',
        exec: ['./m'],
        io: 'mqtt',
        env: {},
        secrets: [],
        restart: 'always',
        backoff: { firstSeconds: 1, factor: 2, mostSeconds: 60, resetSeconds: 60 },
        startupOrder: 0,
        stopSignal: 'SIGTERM',
        stopGraceSeconds: 10,
        tty: false,
        ack: false,
        limits: {},
        sandbox: 'none',
        devices: [],
        require: false,
        publish: [],
        subscribe: [],
      },
    ],
    dialect: 'skerry',
    routes: [],
    storeAndForward: {
      ttl: 604_800_000,
      maxSize: 536_870_912,
      maxQueueSize: undefined,
      whenFull: 'reject',
      commitWindow: 50,
    },
    listeners: [{ kind: 'mqtt', host: '127.0.0.1', port: 1883, maxConnections: undefined }],
    users: [],
    anonymous: undefined,
    upstreams: [],
    serial: undefined,
    for: undefined,
    signature: undefined,
    deployment: { healthyFor: 10_000, within: 120_000 },
    hub: {},
    limits: {
      packetSize: 1_048_576,
      keepAlive: undefined,
      connections: 10_240,
      sessions: 4096,
      subscriptionBytes: 33_554_432,
      retained: 10_000,
      retainedBytes: 33_554_432,
    },
    retained: true,
  });
});

reading('a route is a string or an object with priority and ttl', () => {
  const routes = {
    plain: 'FROM /* INTO topic("a")',
    full: { route: 'FROM /* INTO topic("b")', priority: 0, ttl: '2h' },
  };
  assert.equal(parseManifest(JSON.stringify({ name: 'a', routes }), 'm.json').routes, [
    { name: 'plain', text: 'FROM /* INTO topic("a")', priority: 9, ttl: undefined },
    { name: 'full', text: 'FROM /* INTO topic("b")', priority: 0, ttl: 7_200_000 },
  ]);
});

reading(
  'an upstream address can contain an IPv6 host in brackets, a user and a password, and omit the port',
  () => {
    const { listeners, upstreams } = parseManifest(
      '{"name":"a","listeners":[{"mqtt":"[::1]:1884"}],"upstream":{"url":"mqtt://u:p%40ss@parent"}}',
      'm.json',
    );
    assert.equal(listeners, [{ kind: 'mqtt', host: '::1', port: 1884, maxConnections: undefined }]);
    assert.equal(upstreams[0]?.urls, [
      { secure: false, host: 'parent', port: 1883, username: 'u', password: 'p@ss' },
    ]);
  },
);

reading('an error never shows an upstream address, because the address can contain a password', () => {
  try {
    parseManifest('{"name":"a","upstream":{"url":"http://u:secret@parent"}}', 'm.json');
    assert.unreachable();
  } catch (thrown) {
    assert.instance(thrown, Failure);
    assert.not.match(String(thrown), /secret/);
  }
});

reading(
  'an error never shows text of a manifest that is invalid JSON, because the text can contain a password',
  () => {
    for (const text of ['{"url":"mqtt://u:secret@parent"x}', '{"p":"secret" "q"}', '"secret', 'secret']) {
      try {
        parseManifest(text, 'm.json');
        assert.unreachable();
      } catch (thrown) {
        assert.ok(thrown instanceof Failure && thrown.code === 'manifest.syntax', String(thrown));
        assert.not.match(thrown.message, /secret|secre|cret/);
      }
    }
  },
);

reading('each kind of listener has its default settings', () => {
  const listeners = [
    { mqtts: '[::]:8883', cert: 'c', key: 'k', ca: 'a', clientCertificates: 'optional' },
    { ws: 'localhost:80' },
    {
      wss: '0.0.0.0:443',
      path: '/',
      origins: ['https://a.example'],
      hosts: ['h.example'],
      cert: 'c',
      key: 'k',
    },
    { unix: 'mqtt.sock', mode: '0660', maxConnections: 7 },
  ];
  const tls = { cert: 'c', key: 'k', ca: undefined, clientCertificates: 'none', crl: undefined };
  const checked = { ...tls, ca: 'a', clientCertificates: 'optional' };
  const plain = { maxConnections: undefined };
  assert.equal(parseManifest(JSON.stringify({ name: 'a', listeners }), 'm.json').listeners, [
    { kind: 'mqtts', host: '::', port: 8883, ...plain, tls: checked },
    { kind: 'ws', host: 'localhost', port: 80, ...plain, path: '/mqtt', origins: [], hosts: [] },
    {
      kind: 'wss',
      host: '0.0.0.0',
      port: 443,
      ...plain,
      path: '/',
      origins: ['https://a.example'],
      hosts: ['h.example'],
      tls,
    },
    { kind: 'unix', file: 'mqtt.sock', mode: 0o660, maxConnections: 7 },
  ]);
});

reading('the users and the grants of anonymous clients are read from a manifest', () => {
  const { users, anonymous } = parseManifest(
    '{"name":"a","users":{"u@x":{"password":"p","publish":["a"]}},"anonymous":{"subscribe":["b"]}}',
    'm.json',
  );
  assert.equal(users, [
    { name: 'u@x', password: 'p', certificate: undefined, publish: ['a'], subscribe: [] },
  ]);
  assert.equal(anonymous, { publish: [], subscribe: ['b'] });
});

reading.run();
