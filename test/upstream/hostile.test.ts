import { generate, type Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_UNRELEASED, MAX_UNREQUESTED_ANSWERS } from '../../src/upstream/limits.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Guest, Script, Server } from './server.ts';
import { friendly, startServer, welcome } from './server.ts';

const FLOOD = 20_000;

const hostile = suite('upstream: a hostile server');

/** Runs a test with a hub that is connected, in a session that the server keeps. */
async function withServer(
  script: Script,
  upstream: object,
  test: (stage: UpstreamHarness, server: Server) => Promise<void>,
): Promise<void> {
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'connect') welcome(guest, {}, index > 1);
    else script(packet, guest, index);
  });
  try {
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, ...upstream });
    await test(stage, server);
  } finally {
    await stage.finish();
    await server.close();
  }
}

/** The connection that carries messages: the one before it only began the session. */
async function carrier(stage: UpstreamHarness, server: Server, index = 1): Promise<Guest> {
  const has = (cmd: string): boolean => server.guests[index]?.packets.some(one => one.cmd === cmd) === true;
  await stage.until('it is connected', () => has(index === 1 ? 'subscribe' : 'connect'), 20);
  for (let turn = 0; turn < 20; turn++) await new Promise(done => setImmediate(done));
  const guest = server.guests[index];
  if (guest === undefined) throw new Error('There is no connection.');
  return guest;
}

function flood(guest: Guest, packet: Packet, count = FLOOD): void {
  const bytes = generate(packet, { protocolVersion: 5 });
  guest.socket.write(Buffer.concat(Array.from({ length: count }, () => bytes)));
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
    `${FLOOD} of ${name} that were not asked for end the link, store nothing, and hold up nothing`,
    () =>
      withServer(friendly, DOWN, async (stage, server) => {
        const guest = await carrier(stage, server);
        const filters = stage.queue.store.get('upstream/filters')?.toString();
        const names = stage.queue.store.names('upstream/');
        flood(guest, packet);
        const error = (): string => stage.forwarder().status().lastError ?? '';
        await stage.until('the link ends', () => error() !== '', 1);
        const sentence = `the server sent ${MAX_UNREQUESTED_ANSWERS + 1} unexpected acknowledgements, the last one ${name}`;
        assert.ok(error().includes(sentence), error());
        assert.is(stage.queue.store.get('upstream/filters')?.toString(), filters);
        assert.equal(stage.queue.store.names('upstream/'), names);
        await stage.append(numbers(10));
        await stage.until('all arrives at the next connection', () => server.bodies().length === 10, 20);
        assert.ok(guest.packets.length < MAX_UNREQUESTED_ANSWERS + 10, String(guest.packets.length));
      }),
  );
}

hostile('fewer answers than the bound that were not asked for change nothing', () =>
  withServer(friendly, DOWN, async (stage, server) => {
    const guest = await carrier(stage, server);
    for (const packet of UNREQUESTED) flood(guest, packet, 10);
    await stage.append(numbers(3));
    await stage.until('all arrives', () => stage.forwarder().status().delivered === 3, 20);
    assert.is(stage.forwarder().status().lastError, undefined);
    assert.is(server.guests.length, 2);
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
    'a topic alias',
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
  hostile(`${how} ends the link, and nothing else`, () =>
    withServer(friendly, DOWN, async (stage, server) => {
      flood(await carrier(stage, server), packet, 3);
      await stage.until('the link ends', () => stage.forwarder().status().lastError !== undefined);
      assert.match(stage.forwarder().status().lastError ?? '', reason);
      assert.equal(stage.down, []);
      await stage.append(['on']);
      await stage.until('the next link works', () => server.bodies().includes('on'), 20);
    }),
  );
}

hostile('messages that nobody asked for are not taken in and end the link', () =>
  withServer(friendly, {}, async (stage, server) => {
    await stage.until('it is connected', () => stage.forwarder().status().state === 'connected');
    const [guest] = server.guests;
    if (guest === undefined) throw new Error('There is no connection.');
    flood(guest, {
      cmd: 'publish',
      topic: 'a',
      payload: 'x',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
    });
    await stage.until('the link ends', () => stage.forwarder().status().lastError !== undefined);
    assert.match(stage.forwarder().status().lastError ?? '', /the last one PUBLISH/);
    assert.equal(stage.down, []);
  }),
);

hostile('a message on a topic that no filter of "down" matches is acknowledged and discarded', () =>
  withServer(
    friendly,
    { down: ['commands/#', '$share/hubs/orders/+'], exactlyOnce: true },
    async (stage, server) => {
      const guest = await carrier(stage, server);
      const rest = { payload: 'x', dup: false, retain: false } as const;
      for (const [index, topic] of ['alarms/x', 'orders', 'commands/x', 'orders/1/2', 'orders/1'].entries())
        guest.send({ cmd: 'publish', topic, qos: 1, messageId: index + 1, ...rest });
      guest.send({ cmd: 'publish', topic: 'alarms/y', qos: 2, messageId: 9, ...rest });
      guest.send({ cmd: 'publish', topic: 'alarms/z', qos: 0, ...rest });
      await stage.until('all are acknowledged', () => guest.packets.some(({ cmd }) => cmd === 'pubrec'), 20);
      assert.equal(
        stage.down.map(({ topic }) => topic),
        ['commands/x', 'orders/1'],
      );
      assert.is(stage.log.filter(line => line.includes('matches no filter of "down"')).length, 1);
    },
  ),
);

hostile(
  'one message at QoS 2 that is repeated before it is safe is taken in once and does not stop the rest',
  () =>
    withServer(friendly, { ...DOWN, exactlyOnce: true }, async (stage, server) => {
      const settles: (() => void)[] = [];
      stage.takeDown = (message, settle) => {
        stage.down.push(message);
        settles.push(settle);
      };
      const guest = await carrier(stage, server);
      const packet = { cmd: 'publish', topic: 'commands/x', payload: 'x', dup: true, retain: false } as const;
      flood(guest, { ...packet, qos: 2, messageId: 7 }, 100);
      flood(guest, { ...packet, qos: 1, messageId: 8 }, 1);
      await stage.until('both are here', () => stage.down.length === 2);
      for (const settle of settles) settle();
      await stage.until('both are acknowledged', () => guest.packets.some(one => one.cmd === 'puback'));
      assert.is(guest.packets.filter(one => one.cmd === 'pubrec').length, 1);
    }),
);

hostile('one PUBREL that is repeated before it is done is done once', () =>
  withServer(friendly, { ...DOWN, exactlyOnce: true }, async (stage, server) => {
    const guest = await carrier(stage, server);
    const packet = { cmd: 'publish', topic: 'commands/x', payload: 'x', dup: false, retain: false } as const;
    flood(guest, { ...packet, qos: 2, messageId: 7 }, 1);
    await stage.until('it is here', () => guest.packets.some(one => one.cmd === 'pubrec'), 20);
    flood(guest, { cmd: 'pubrel', messageId: 7 }, 100);
    await stage.until('it is done', () => guest.packets.some(one => one.cmd === 'pubcomp'), 20);
    assert.is(guest.packets.filter(one => one.cmd === 'pubcomp').length, 1);
  }),
);

hostile(
  'messages at QoS 2 that are never released are kept up to a bound, over connections and restarts',
  () =>
    withServer(friendly, { ...DOWN, exactlyOnce: true }, async (stage, server) => {
      const held = (): number => stage.queue.store.names('upstream/received/').length;
      for (let link = 1; link <= 3; link++) {
        const guest = await carrier(stage, server, link);
        const errors = stage.log.length;
        const first = 1 + (link - 1) * 2_000;
        for (let messageId = first; messageId < first + 2_000; messageId++)
          guest.send({
            cmd: 'publish',
            topic: 'commands/x',
            payload: '',
            qos: 2,
            dup: false,
            retain: false,
            messageId,
          });
        await stage.until('the link ends', () => stage.log.length > errors || guest.socket.destroyed, 20);
        assert.is(stage.down.length, MAX_UNRELEASED);
        assert.is(held(), MAX_UNRELEASED);
      }
      assert.match(stage.log.join(), /the server sent 1024 QoS 2 messages without PUBREL/);
      await stage.append(['up']);
      await stage.until('what goes up is not concerned', () => server.bodies().includes('up'), 20);
    }),
);

hostile('a packet that trickles in is no sign of life', () =>
  withServer(friendly, { ...DOWN, keepAlive: '2s' }, async (stage, server) => {
    const guest = await carrier(stage, server);
    const before = stage.queue.clock.monotonic();
    guest.socket.write(Buffer.from([0x30, 0xff, 0x7f]));
    const trickle = (): boolean => {
      if (!guest.socket.destroyed) guest.socket.write(Buffer.from([0x61]));
      return stage.forwarder().status().lastError !== undefined;
    };
    await stage.until('the link ends', trickle, 100);
    assert.match(stage.forwarder().status().lastError ?? '', /keep-alive timeout, nothing received for 3 s/);
    assert.ok(stage.queue.clock.monotonic() - before < 6_000);
  }),
);

hostile('a server that wants no keep-alive is found dead all the same', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest) => {
    if (packet.cmd === 'connect') welcome(guest, { serverKeepAlive: 0 });
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, keepAlive: '2s' });
  await stage.until('the link ends', () => stage.forwarder().status().lastError !== undefined, 100);
  assert.match(stage.forwarder().status().lastError ?? '', /keep-alive timeout, nothing received for 3 s/);
  await stage.finish();
  await server.close();
});

hostile('the words of a server are shown up to a bound, and not as it sends them', async () => {
  const reasonString = `\u2028${'x'.repeat(60_000)}`;
  const endings: readonly Packet[] = [
    { cmd: 'connack', reasonCode: 0x87, sessionPresent: false, properties: { reasonString } },
    { cmd: 'disconnect', reasonCode: 0x98, properties: { reasonString } },
  ];
  for (const ending of endings) {
    const stage = await createUpstreamHarness();
    const server = await startServer((packet, guest) => {
      if (packet.cmd !== 'connect') return;
      if (ending.cmd !== 'connack') welcome(guest);
      guest.send(ending);
    });
    stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
    await stage.until('the link ends', () => stage.forwarder().status().lastError !== undefined);
    const text = stage.forwarder().status().lastError ?? '';
    await stage.finish();
    await server.close();
    assert.ok(text.length < 500, String(text.length));
    assert.match(text, /xxx/);
    assert.not.match(text, /[\n\r\u2028]/);
  }
});

hostile.run();
