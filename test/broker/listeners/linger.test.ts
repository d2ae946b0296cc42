import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { MAX_LINGER_BYTES, MAX_PENDING_PUBLISHES } from '../../../src/broker/limits.ts';
import { closeLingering } from '../../../src/broker/listeners/linger.ts';
import { CLOSE_LINGER_MS } from '../../../src/core/limits.ts';
import { withBroker } from '../../harness/broker.ts';
import { publishOf } from '../../harness/clients/mqtt5.ts';
import { createTestClock } from '../../harness/clock.ts';

const linger = suite('broker: lingering close');

const certificates = join(import.meta.dirname, '../../certificates');
const LISTENERS = [
  { mqtt: '127.0.0.1:0' },
  { mqtts: '127.0.0.1:0', cert: join(certificates, 'server.pem'), key: join(certificates, 'server.key') },
  { ws: '127.0.0.1:0' },
];

/** Connects to a listener at the address that the hub reports. */
function open(address: string): Duplex {
  const port = Number(/:(\d+)/.exec(address.replace(/^\w+:\/\//, ''))?.[1]);
  if (address.startsWith('mqtts:')) return connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  if (address.startsWith('ws:')) return streamOf(new WebSocket(`${address}/mqtt`, 'mqtt'));
  return connect(port, '127.0.0.1');
}

/**
 * Returns a stream of a WebSocket. The stream can be read after the hub's close frame, and drops bytes that
 * are written then.
 */
function streamOf(webSocket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _encoding, done) => webSocket.send(bytes, () => done()),
    construct: done => void webSocket.once('open', () => done()),
  });
  webSocket.on('message', data => stream.push(data));
  webSocket.on('error', () => {});
  webSocket.on('close', () => stream.push(null));
  return stream;
}

const CONNECT = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 5,
  clientId: 'c',
  clean: true,
  keepalive: 0,
});

/** Returns QoS 2 messages without any PUBREL. */
function publishes(count: number, body: string): Buffer {
  const packets = Array.from({ length: count }, (_, n) =>
    generate({ ...publishOf('a', body, 2), messageId: n + 1 } as Packet, { protocolVersion: 5 }),
  );
  return Buffer.concat(packets);
}

/** Invalid packets followed by megabytes, with the reason code that the client must read. */
const FAULTS: readonly (readonly [name: string, sent: Buffer, reason: number])[] = [
  ['exceeds Receive Maximum', publishes(12 * MAX_PENDING_PUBLISHES, 'x'.repeat(1_000)), 0x93],
  ['sends a malformed packet', Buffer.concat([Buffer.from([0x36, 0]), Buffer.alloc(12 << 20)]), 0x81],
];

const PIECE = 1 << 16;

/**
 * Sends CONNECT and, after CONNACK, `bytes`. Resolves to the reason code of the DISCONNECT. Undefined if the
 * connection closes without a DISCONNECT.
 */
async function reasonFor(client: Duplex, bytes: Buffer): Promise<number | undefined> {
  let reason: number | undefined;
  const packets = parser({ protocolVersion: 5 });
  // Like a program that writes all its data before it reads an answer. A piece fits into a WebSocket frame.
  const send = (): void => {
    client.pause();
    for (let at = 0; at < bytes.length; at += PIECE)
      client.write(bytes.subarray(at, at + PIECE), error => {
        if (error == null && at + PIECE >= bytes.length) client.resume();
      });
  };
  packets.on('packet', packet => {
    if (packet.cmd === 'connack') send();
    if (packet.cmd === 'disconnect') reason = packet.reasonCode;
  });
  client.on('data', (chunk: Buffer) => packets.parse(chunk));
  client.on('error', () => {});
  client.write(CONNECT);
  await new Promise(resolve => client.once('end', resolve).once('close', resolve));
  client.destroy();
  return reason;
}

for (const [name, sent, reason] of FAULTS) {
  linger(
    `a client that ${name} and continues to send receives the reason code over TCP, TLS and WebSocket`,
    () =>
      withBroker(
        async broker => {
          const addresses = broker.hub().status().listeners;
          assert.is(addresses.length, LISTENERS.length);
          for (const address of addresses) assert.is(await reasonFor(open(address), sent), reason, address);
        },
        { manifest: { listeners: LISTENERS } },
      ),
  );
}

/**
 * Closes an accepted connection with `clock` while `play` acts as its peer. Resolves when the connection has
 * closed.
 */
async function closing(
  play: (peer: Socket, accepted: Socket) => void | Promise<void>,
  clock = createTestClock(),
): Promise<void> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  const accepted = await new Promise<Socket>(resolve => server.once('connection', resolve));
  const closed = new Promise(resolve => accepted.on('error', () => {}).once('close', resolve));
  closeLingering(accepted, clock);
  await play(peer, accepted);
  await closed;
  peer.destroy();
  server.close();
}

linger('a lingering close ends after its timeout if the peer does not close the connection', () => {
  const clock = createTestClock();
  return closing(async (peer, accepted) => {
    await once(peer.resume(), 'end');
    clock.advance(CLOSE_LINGER_MS - 1);
    assert.not(accepted.destroyed);
    clock.advance(1);
    assert.ok(accepted.destroyed);
  }, clock);
});

linger('a lingering close ends after it has discarded MAX_LINGER_BYTES bytes from the peer', () =>
  closing(async (peer, accepted) => {
    const chunk = Buffer.alloc(1 << 20);
    for (let sent = 0; sent <= MAX_LINGER_BYTES && !accepted.destroyed; sent += chunk.length)
      if (!peer.write(chunk))
        await new Promise(resolve => peer.once('drain', resolve).once('close', resolve));
  }),
);

linger.run();
