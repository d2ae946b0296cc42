import { generate, type Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_UNRELEASED, MAX_UNREQUESTED_ANSWERS } from '../../src/upstream/limits.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, Server, ServerConnection } from './server.ts';
import { acceptAll, sendConnack, startServer } from './server.ts';

const FLOOD = 20_000;

const hostile = suite('upstream: a hostile server');

/** Runs a test with a connected forwarder whose session the server stores. */
async function withServer(
  script: Script,
  upstream: object,
  test: (harness: UpstreamHarness, server: Server) => Promise<void>,
): Promise<void> {
  const harness = await createUpstreamHarness();
  const server = await startServer((packet, connection, index) => {
    if (packet.cmd === 'connect') sendConnack(connection, {}, index > 1);
    else script(packet, connection, index);
  });
  try {
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, ...upstream });
    await test(harness, server);
  } finally {
    await harness.finish();
    await server.close();
  }
}

/** Returns the connection that carries messages. The first connection only clears the old session. */
async function messageConnection(
  harness: UpstreamHarness,
  server: Server,
  index = 1,
): Promise<ServerConnection> {
  const has = (cmd: string): boolean =>
    server.connections[index]?.packets.some(one => one.cmd === cmd) === true;
  await harness.until('it is connected', () => has(index === 1 ? 'subscribe' : 'connect'), 20);
  for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
  const connection = server.connections[index];
  if (connection === undefined) throw new Error('There is no connection.');
  return connection;
}

function flood(connection: ServerConnection, packet: Packet, count = FLOOD): void {
  const bytes = generate(packet, { protocolVersion: 5 });
  connection.socket.write(Buffer.concat(Array.from({ length: count }, () => bytes)));
}

const DOWN = { down: ['commands/#'] };

const UNREQUESTED: readonly Packet[] = [
  { cmd: 'suback', messageId: 65_535, granted: [1] },
  { cmd: 'unsuback', messageId: 65_534, granted: [0] },
  { cmd: 'puback', messageId: 9 },
  { cmd: 'pubrec', messageId: 9 },
  { cmd: 'pubrel', messageId: 9 },
  { cmd: 'pubcomp', messageId: 9 },
  { cmd: 'pingresp' },
];

for (const packet of UNREQUESTED) {
  const name = packet.cmd.toUpperCase();
  hostile(
    `${FLOOD} unrequested ${name} packets close the connection, and the next connection sends all messages`,
    () =>
      withServer(acceptAll, DOWN, async (harness, server) => {
        const connection = await messageConnection(harness, server);
        const filters = harness.queue.store.get('upstream/filters')?.toString();
        const names = harness.queue.store.names('upstream/');
        flood(connection, packet);
        const error = (): string => harness.forwarder().status().lastError ?? '';
        await harness.until('the link ends', () => error() !== '', 1);
        const sentence = `the server sent ${MAX_UNREQUESTED_ANSWERS + 1} unexpected acknowledgements, the last one ${name}`;
        assert.ok(error().includes(sentence), error());
        assert.is(harness.queue.store.get('upstream/filters')?.toString(), filters);
        assert.equal(harness.queue.store.names('upstream/'), names);
        await harness.append(numbers(10));
        await harness.until('all arrives at the next connection', () => server.bodies().length === 10, 20);
        assert.ok(
          connection.packets.length < MAX_UNREQUESTED_ANSWERS + 10,
          String(connection.packets.length),
        );
      }),
  );
}

hostile('unrequested acknowledgements from a server are ignored up to a limit', () =>
  withServer(acceptAll, DOWN, async (harness, server) => {
    const connection = await messageConnection(harness, server);
    for (const packet of UNREQUESTED) flood(connection, packet, 10);
    await harness.append(numbers(3));
    await harness.until('all arrives', () => harness.forwarder().status().delivered === 3, 20);
    assert.is(harness.forwarder().status().lastError, undefined);
    assert.is(server.connections.length, 2);
  }),
);

const BREACHES: readonly (readonly [how: string, packet: Packet, reason: RegExp])[] = [
  ['a second CONNACK', { cmd: 'connack', reasonCode: 0, sessionPresent: false }, /a second CONNACK/],
  [
    'AUTH',
    { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'x' } },
    /a packet that no server may send/,
  ],
  ['PINGREQ', { cmd: 'pingreq' }, /a packet that no server may send/],
  [
    'a PUBLISH with a topic alias',
    {
      cmd: 'publish',
      topic: 'commands/x',
      payload: 'x',
      qos: 0,
      dup: false,
      retain: false,
      properties: { topicAlias: 1 },
    },
    /a topic alias, which the client did not allow/,
  ],
];

for (const [how, packet, reason] of BREACHES) {
  hostile(`${how} from a server closes the upstream connection, and the next connection works`, () =>
    withServer(acceptAll, DOWN, async (harness, server) => {
      flood(await messageConnection(harness, server), packet, 3);
      await harness.until('the link ends', () => harness.forwarder().status().lastError !== undefined);
      assert.match(harness.forwarder().status().lastError ?? '', reason);
      assert.equal(harness.down, []);
      await harness.append(['on']);
      await harness.until('the next link works', () => server.bodies().includes('on'), 20);
    }),
  );
}

hostile('a message on a topic to which the hub has not subscribed at the server closes the connection', () =>
  withServer(acceptAll, {}, async (harness, server) => {
    await harness.until('it is connected', () => harness.forwarder().status().state === 'connected');
    const [connection] = server.connections;
    if (connection === undefined) throw new Error('There is no connection.');
    flood(connection, {
      cmd: 'publish',
      topic: 'a',
      payload: 'x',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
    });
    await harness.until('the link ends', () => harness.forwarder().status().lastError !== undefined);
    assert.match(harness.forwarder().status().lastError ?? '', /the last one PUBLISH/);
    assert.equal(harness.down, []);
  }),
);

hostile('a message on a topic that no filter of "down" matches is acknowledged and discarded', () =>
  withServer(
    acceptAll,
    { down: ['commands/#', '$share/hubs/orders/+'], exactlyOnce: true },
    async (harness, server) => {
      const connection = await messageConnection(harness, server);
      const rest = { payload: 'x', dup: false, retain: false } as const;
      for (const [index, topic] of ['alarms/x', 'orders', 'commands/x', 'orders/1/2', 'orders/1'].entries())
        connection.send({ cmd: 'publish', topic, qos: 1, messageId: index + 1, ...rest });
      connection.send({ cmd: 'publish', topic: 'alarms/y', qos: 2, messageId: 9, ...rest });
      connection.send({ cmd: 'publish', topic: 'alarms/z', qos: 0, ...rest });
      await harness.until(
        'all are acknowledged',
        () => connection.packets.some(({ cmd }) => cmd === 'pubrec'),
        20,
      );
      assert.equal(
        harness.down.map(({ topic }) => topic),
        ['commands/x', 'orders/1'],
      );
      assert.is(harness.log.filter(line => line.includes('matches no filter of "down"')).length, 1);
    },
  ),
);

hostile(
  'a QoS 2 message that the server repeats before it is durable is received once and blocks no other message',
  () =>
    withServer(acceptAll, { ...DOWN, exactlyOnce: true }, async (harness, server) => {
      const settles: (() => void)[] = [];
      harness.receive = (message, settle) => {
        harness.down.push(message);
        settles.push(settle);
      };
      const connection = await messageConnection(harness, server);
      const packet = { cmd: 'publish', topic: 'commands/x', payload: 'x', dup: true, retain: false } as const;
      flood(connection, { ...packet, qos: 2, messageId: 7 }, 100);
      flood(connection, { ...packet, qos: 1, messageId: 8 }, 1);
      await harness.until('both are here', () => harness.down.length === 2);
      for (const settle of settles) settle();
      await harness.until('both are acknowledged', () =>
        connection.packets.some(one => one.cmd === 'puback'),
      );
      assert.is(connection.packets.filter(one => one.cmd === 'pubrec').length, 1);
    }),
);

hostile('a PUBREL that is repeated before its PUBCOMP is answered with one PUBCOMP', () =>
  withServer(acceptAll, { ...DOWN, exactlyOnce: true }, async (harness, server) => {
    const connection = await messageConnection(harness, server);
    const packet = { cmd: 'publish', topic: 'commands/x', payload: 'x', dup: false, retain: false } as const;
    flood(connection, { ...packet, qos: 2, messageId: 7 }, 1);
    await harness.until('it is here', () => connection.packets.some(one => one.cmd === 'pubrec'), 20);
    flood(connection, { cmd: 'pubrel', messageId: 7 }, 100);
    await harness.until('it is done', () => connection.packets.some(one => one.cmd === 'pubcomp'), 20);
    assert.is(connection.packets.filter(one => one.cmd === 'pubcomp').length, 1);
  }),
);

hostile(
  'QoS 2 messages from a server that sends no PUBREL are stored only up to a maximum, also across connections',
  () =>
    withServer(acceptAll, { ...DOWN, exactlyOnce: true }, async (harness, server) => {
      const held = (): number => harness.queue.store.names('upstream/received/').length;
      for (let link = 1; link <= 3; link++) {
        const connection = await messageConnection(harness, server, link);
        const errors = harness.log.length;
        const first = 1 + (link - 1) * 2_000;
        for (let messageId = first; messageId < first + 2_000; messageId++)
          connection.send({
            cmd: 'publish',
            topic: 'commands/x',
            payload: '',
            qos: 2,
            dup: false,
            retain: false,
            messageId,
          });
        await harness.until(
          'the link ends',
          () => harness.log.length > errors || connection.socket.destroyed,
          20,
        );
        assert.is(harness.down.length, MAX_UNRELEASED);
        assert.is(held(), MAX_UNRELEASED);
      }
      assert.match(harness.log.join(), /the server sent 1024 QoS 2 messages without PUBREL/);
      await harness.append(['up']);
      await harness.until('forwarding continues', () => server.bodies().includes('up'), 20);
    }),
);

hostile('an incomplete packet that arrives byte by byte does not prevent the keep-alive timeout', () =>
  withServer(acceptAll, { ...DOWN, keepAlive: '2s' }, async (harness, server) => {
    const connection = await messageConnection(harness, server);
    const before = harness.queue.clock.monotonic();
    connection.socket.write(Buffer.from([0x30, 0xff, 0x7f]));
    const trickle = (): boolean => {
      if (!connection.socket.destroyed) connection.socket.write(Buffer.from([0x61]));
      return harness.forwarder().status().lastError !== undefined;
    };
    await harness.until('the link ends', trickle, 100);
    assert.match(
      harness.forwarder().status().lastError ?? '',
      /keep-alive timeout, nothing received for 3 s/,
    );
    assert.ok(harness.queue.clock.monotonic() - before < 6_000);
  }),
);

hostile(
  'a server that becomes silent is detected by the keep-alive timeout, also with Server Keep Alive 0',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer((packet, connection) => {
      if (packet.cmd === 'connect') sendConnack(connection, { serverKeepAlive: 0 });
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, keepAlive: '2s' });
    await harness.until('the link ends', () => harness.forwarder().status().lastError !== undefined, 100);
    assert.match(
      harness.forwarder().status().lastError ?? '',
      /keep-alive timeout, nothing received for 3 s/,
    );
    await harness.finish();
    await server.close();
  },
);

hostile('the Reason String of a server is truncated and escaped in the error', async () => {
  const reasonString = `\u2028${'x'.repeat(60_000)}`;
  const endings: readonly Packet[] = [
    { cmd: 'connack', reasonCode: 0x87, sessionPresent: false, properties: { reasonString } },
    { cmd: 'disconnect', reasonCode: 0x98, properties: { reasonString } },
  ];
  for (const ending of endings) {
    const harness = await createUpstreamHarness();
    const server = await startServer((packet, connection) => {
      if (packet.cmd !== 'connect') return;
      if (ending.cmd !== 'connack') sendConnack(connection);
      connection.send(ending);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await harness.until('the link ends', () => harness.forwarder().status().lastError !== undefined);
    const text = harness.forwarder().status().lastError ?? '';
    await harness.finish();
    await server.close();
    assert.ok(text.length < 500, String(text.length));
    assert.match(text, /xxx/);
    assert.not.match(text, /[\n\r\u2028]/);
  }
});

hostile.run();
