import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { parseManifest } from '../../src/manifest/read.ts';

const reading = suite('manifest: reading');

reading('what is not written has its default', () => {
  assert.equal(parseManifest('{"name":"a","modules":{"m":{"exec":["./m"]}}}', 'm.json'), {
    name: 'a',
    modules: [
      {
        name: 'm',
        exec: ['./m'],
        io: 'mqtt',
        env: {},
        restart: 'always',
        startupOrder: 0,
        stopSignal: 'SIGTERM',
        stopGraceSeconds: 10,
        tty: false,
        publish: [],
        subscribe: [],
      },
    ],
    routes: [],
    storeAndForward: {
      ttl: 604_800_000,
      maxSize: 536_870_912,
      maxQueueSize: undefined,
      whenFull: 'reject',
      commitWindow: 50,
    },
    listeners: [{ kind: 'mqtt', host: '127.0.0.1', port: 1883 }],
    users: [],
    anonymous: undefined,
    upstream: undefined,
  });
});

reading('a route is a text, or an object with its priority and ttl', () => {
  const routes = {
    plain: 'FROM /* INTO topic("a")',
    full: { route: 'FROM /* INTO topic("b")', priority: 0, ttl: '2h' },
  };
  assert.equal(parseManifest(JSON.stringify({ name: 'a', routes }), 'm.json').routes, [
    { name: 'plain', text: 'FROM /* INTO topic("a")', priority: 9, ttl: undefined },
    { name: 'full', text: 'FROM /* INTO topic("b")', priority: 0, ttl: 7_200_000 },
  ]);
});

reading('addresses: IPv6 in brackets, the port of MQTT by default, user and password of the upstream', () => {
  const { listeners, upstream } = parseManifest(
    '{"name":"a","listeners":[{"mqtt":"[::1]:1884"}],"upstream":{"url":"mqtt://u:p%40ss@parent"}}',
    'm.json',
  );
  assert.equal(listeners, [{ kind: 'mqtt', host: '::1', port: 1884 }]);
  assert.equal(upstream, { host: 'parent', port: 1883, username: 'u', password: 'p@ss' });
});

reading('an upstream address is never repeated in an error: it may hold a password', () => {
  try {
    parseManifest('{"name":"a","upstream":{"url":"http://u:secret@parent"}}', 'm.json');
    assert.unreachable();
  } catch (thrown) {
    assert.instance(thrown, Failure);
    assert.not.match(String(thrown), /secret/);
  }
});

reading.run();
