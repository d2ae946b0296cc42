import { once } from 'node:events';
import { request } from 'node:http';
import { hostname } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { WEBSOCKET_PING_MS } from '../../../src/broker/limits.ts';
import { ownNames, upgradeRefusal } from '../../../src/broker/listeners/websocket/origins.ts';
import { MAX_PACKET_BYTES } from '../../../src/core/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { withBroker } from '../../harness/broker.ts';
import { ca, certificate, identity, install, withFiles } from '../../harness/certificates.ts';
import { echo, enter } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const CONNECT = Buffer.from('\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c', 'latin1');
const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = Buffer.from([0xd0, 0]);

const ON = { manifest: { listeners: [{ ws: '127.0.0.1:0', origins: ['https://app.example'] }] } };

function address(broker: BrokerHarness): string {
  return `${broker.hub().status().listeners[0]}/mqtt`;
}

async function open(broker: BrokerHarness, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(address(broker), 'mqtt', options);
  await once(socket, 'open');
  return socket;
}

/** Resolves to the next frames, together at least `count` bytes. */
async function read(socket: WebSocket, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  return new Promise(resolve => {
    const take = (data: Buffer): void => {
      pieces.push(data);
      const all = Buffer.concat(pieces);
      if (all.length < count) return;
      socket.off('message', take);
      resolve(all);
    };
    socket.on('message', take);
  });
}

/** Resolves to the close code that the hub sends. */
async function closeCode(socket: WebSocket): Promise<number> {
  return new Promise(resolve => socket.once('close', code => resolve(code)));
}

const webSockets = suite('broker: WebSockets');

webSockets('mqtt.js connects over WebSocket, both plain and with TLS and a client certificate', () =>
  withFiles(async ({ tls }) => {
    const wss = { wss: '127.0.0.1:0', ...tls, ca: certificate('ca.pem'), clientCertificates: 'required' };
    const users = { s7: { certificate: 'sensor 7', publish: ['echo'], subscribe: ['echo'] } };
    const anonymous = { publish: ['echo'], subscribe: ['echo'] };
    await withBroker(
      async broker => {
        const [plain, secure] = broker.hub().status().listeners;
        const one = await enter(`${plain}/deep/path`);
        assert.is(await echo(one, 'plain'), 'plain');
        await one.endAsync();
        const wsOptions = { ca, ...identity('sensor') };
        const two = await enter(`${secure}/mqtt`, { wsOptions });
        assert.is(await echo(two, 'x'.repeat(300_000)), 'x'.repeat(300_000));
        await two.endAsync();
      },
      { manifest: { listeners: [{ ws: '127.0.0.1:0', path: '/deep/path' }, wss], users, anonymous } },
    );
  }),
);

webSockets('[MQTT-6.0.0-2] a packet may span several frames, and a frame may contain several packets', () =>
  withBroker(async broker => {
    const socket = await open(broker);
    for (const byte of CONNECT) socket.send(Buffer.from([byte]));
    assert.equal(await read(socket, 4), CONNACK);
    socket.send(Buffer.concat([PINGREQ, PINGREQ, PINGREQ]));
    assert.equal(await read(socket, 6), Buffer.concat([PINGRESP, PINGRESP, PINGRESP]));
    socket.close();
  }, ON),
);

webSockets('[MQTT-6.0.0-1] a text frame closes the connection with code 1003', () =>
  withBroker(async broker => {
    const socket = await open(broker);
    socket.send(CONNECT);
    await read(socket, 4);
    const code = closeCode(socket);
    socket.send('text');
    assert.is(await code, 1003);
    assert.match(
      broker.log.join('\n'),
      /Closed a connection: the client sent a text frame instead of a binary frame.* client=c /,
    );
  }, ON),
);

webSockets('a frame larger than the maximum packet size closes the connection with code 1009', () =>
  withBroker(async broker => {
    const socket = await open(broker);
    const code = closeCode(socket);
    socket.send(Buffer.alloc(MAX_PACKET_BYTES + 1, 0x10));
    assert.is(await code, 1009);
  }, ON),
);

webSockets('DISCONNECT and a stop of the hub close the WebSocket with code 1000', () =>
  withBroker(async broker => {
    const leaving = await open(broker);
    leaving.send(Buffer.concat([CONNECT, Buffer.from([0xe0, 0])]));
    assert.is(await closeCode(leaving), 1000);
    const staying = await open(broker);
    staying.send(CONNECT);
    await read(staying, 4);
    const code = closeCode(staying);
    await broker.restart();
    assert.is(await code, 1000);
  }, ON),
);

webSockets('the hub sends pings on an idle WebSocket, so that no proxy closes the connection', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const socket = await open(broker);
      socket.send(CONNECT);
      await read(socket, 4);
      const pinged = once(socket, 'ping');
      clock.advance(WEBSOCKET_PING_MS);
      await pinged;
      socket.close();
    },
    { ...ON, clock },
  );
});

/** Refused upgrade requests with their HTTP status. */
const REFUSED: readonly (readonly [
  what: string,
  path: string,
  protocol: string,
  origin: string,
  status: number,
])[] = [
  ['a request for another path', '/', 'mqtt', '', 404],
  ['[MQTT-6.0.0-3] a request for another subprotocol', '/mqtt', 'chat', '', 400],
  ['a request of a page of another site', '/mqtt', 'mqtt', 'https://evil.example', 403],
];

for (const [what, path, protocol, origin, status] of REFUSED) {
  webSockets(`${what} is refused with HTTP status ${status}`, () =>
    withBroker(async broker => {
      const url = `${broker.hub().status().listeners[0]}${path}`;
      const socket = new WebSocket(url, protocol, origin === '' ? {} : { origin });
      const [error] = await once(socket, 'error');
      assert.is(String(error), `Error: Unexpected server response: ${status}`);
    }, ON),
  );
}

webSockets('a WebSocket from a configured origin is accepted, also with the subprotocol mqttv3.1', () =>
  withBroker(async broker => {
    const socket = await open(broker, { origin: 'https://app.example' });
    assert.is(socket.protocol, 'mqtt');
    socket.close();
    const old = new WebSocket(address(broker), 'mqttv3.1');
    await once(old, 'open');
    assert.is(old.protocol, 'mqttv3.1');
    old.close();
  }, ON),
);

/** Origin and Host of upgrade requests, with the expected acceptance. */
const PAGES: readonly (readonly [origin: string, host: string, allowed: boolean])[] = [
  ['http://hub.example', 'hub.example:9001', true],
  ['http://HUB.example.', 'Hub.Example:9001', true],
  ['http://evil.example', 'hub.example:9001', false],
  ['http://hub.example.evil.example', 'hub.example.evil.example', false],
  ['http://localhost:8080', 'localhost:9001', true],
  ['http://127.0.0.1', '127.0.0.1:9001', true],
  ['http://192.168.1.7:8080', '192.168.1.7:9001', true],
  ['http://[::1]', '[::1]:9001', true],
  ['http://[2001:db8::1]', '[2001:DB8:0::1]:9001', true],
  ['http://rebound.example', 'rebound.example:9001', false],
  ['http://192.168.1.7.rebound.example', '192.168.1.7.rebound.example', false],
  ['http://a.wild.example', 'a.wild.example', true],
  ['http://wild.example', 'wild.example', false],
  ['http://a.b.wild.example', 'a.b.wild.example', false],
  [`http://${hostname()}`, `${hostname()}:9001`, true],
  [`http://${hostname().split('.')[0]}.local`, `${hostname().split('.')[0]}.local:9001`, true],
  ['null', 'hub.example', false],
  ['', 'hub.example', false],
  ['https://app.example', 'anything', true],
];

webSockets(
  'a WebSocket from a page of the same host is accepted only if the host is an IP address or a name of the hub',
  () => {
    const settings = { path: '/mqtt', origins: ['https://app.example'] };
    const own = [...ownNames({ host: '0.0.0.0', hosts: ['hub.example'] }), '*.wild.example'];
    for (const [origin, host, allowed] of PAGES) {
      const headers = { origin, host, 'sec-websocket-protocol': 'mqtt' };
      assert.is(upgradeRefusal({ url: '/mqtt', headers }, settings, own) === undefined, allowed, origin);
    }
  },
);

webSockets(
  'a WebSocket of a page whose DNS name was rebound to the hub is refused, also with anonymous access',
  () =>
    withFiles(async ({ tls }) => {
      install('kept', tls);
      const listeners = [
        { ws: '127.0.0.1:0', hosts: ['hub.example'] },
        { wss: '127.0.0.1:0', ...tls },
      ];
      const manifest = { listeners, anonymous: { publish: ['a'] } };
      await withBroker(
        async broker => {
          const [plain = '', secure = ''] = broker.hub().status().listeners;
          const outcome = async (url: string, name: string): Promise<string> => {
            const scheme = url.startsWith('wss') ? 'https' : 'http';
            const socket = new WebSocket(`${url}/mqtt`, 'mqtt', {
              origin: `${scheme}://${name}`,
              headers: { host: name },
              rejectUnauthorized: false,
            });
            const refused = once(socket, 'error').then(([error]) => String(error));
            const result = await Promise.race([refused, once(socket, 'open').then(() => 'open')]);
            socket.close();
            return result;
          };
          assert.match(await outcome(plain, 'rebound.example'), /403/);
          assert.is(await outcome(plain, 'hub.example'), 'open');
          assert.is(await outcome(plain, '127.0.0.1'), 'open');
          assert.match(await outcome(secure, 'hub.example'), /403/);
          assert.is(await outcome(secure, 'kept.example'), 'open');
        },
        { manifest },
      );
    }),
);

webSockets('a plain HTTP request is answered with status 426', () =>
  withBroker(async broker => {
    const ask = request(address(broker).replace('ws:', 'http:')).end();
    const [response] = await once(ask, 'response');
    assert.is(response.statusCode, 426);
    response.resume();
  }, ON),
);

webSockets.run();
