import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brief, withBroker } from '../../harness/broker.ts';
import { publishOf } from '../../harness/clients/mqtt5.ts';

const limits = suite('broker: limits of the manifest');

const CLOSED = 'closed';

limits(
  'limits.keepAlive is sent as Server Keep Alive to an MQTT 5 client that requests a longer keep-alive or none',
  () =>
    withBroker(
      async broker => {
        for (const [keepalive, expected] of [
          [0, 60],
          [61, 60],
          [60, undefined],
          [1, undefined],
        ] as const) {
          const client = await broker.client(5);
          const connack = await client.connect({ clientId: `k${keepalive}`, keepalive });
          if (connack === CLOSED || connack.cmd !== 'connack') throw new Error(brief(connack));
          assert.is(connack.reasonCode, 0);
          assert.is(connack.properties?.serverKeepAlive, expected, String(keepalive));
        }
      },
      { manifest: { limits: { keepAlive: '60s' } } },
    ),
);

limits('an MQTT 3.1.1 client whose keep-alive exceeds limits.keepAlive is refused', () =>
  withBroker(
    async broker => {
      for (const [keepalive, answer] of [
        [0, 'connack 2'],
        [61, 'connack 2'],
        [60, 'connack 0'],
      ] as const) {
        const client = await broker.client();
        assert.is(brief(await client.connect({ clientId: 'k', keepalive })), answer, String(keepalive));
      }
    },
    { manifest: { limits: { keepAlive: '60s' } } },
  ),
);

limits(
  'a packet above limits.packetSize closes only the connection of its sender, and CONNACK announces this limit',
  () =>
    withBroker(
      async broker => {
        const other = await broker.client();
        await other.connect({ clientId: 'other' });
        const client = await broker.client(5);
        const connack = await client.connect({ clientId: 'c' });
        if (connack === CLOSED || connack.cmd !== 'connack') throw new Error(brief(connack));
        assert.is(connack.properties?.maximumPacketSize, 2048);
        client.send(publishOf('a', 'x'.repeat(2000), 1));
        assert.is(brief(await client.next()), 'puback');
        client.send(publishOf('a', 'x'.repeat(2100), 1));
        const end = await client.next();
        assert.is(end === CLOSED ? end : end.cmd === 'disconnect' && end.reasonCode, 0x95);
        assert.is(brief(await client.next()), CLOSED);
        assert.equal(await other.roundTrip(), []);
      },
      { manifest: { limits: { packetSize: '2K' } } },
    ),
);

limits('limits.connections is the maximum number of clients of all listeners together', () =>
  withBroker(
    async broker => {
      const first = await broker.client();
      assert.is(brief(await first.connect({ clientId: '1' })), 'connack 0');
      const second = await broker.client();
      assert.is(brief(await second.connect({ clientId: '2' })), 'connack 0');
      const third = await broker.client(5);
      assert.is(brief(await third.connect({ clientId: '3' })), `connack ${0x97}`);
      await first.leave();
      const fourth = await broker.client();
      assert.is(brief(await fourth.connect({ clientId: '4' })), 'connack 0');
    },
    { manifest: { limits: { connections: 2 } } },
  ),
);

limits('a listener with maxConnections clients refuses another client until a client disconnects', () =>
  withBroker(
    async broker => {
      const first = await broker.client();
      assert.is(brief(await first.connect({ clientId: '1' })), 'connack 0');
      const second = await broker.client(5);
      assert.is(brief(await second.connect({ clientId: '2' })), `connack ${0x97}`);
      const takesOver = await broker.client();
      assert.is(brief(await takesOver.connect({ clientId: '1' })), 'connack 0');
      await takesOver.leave();
      const third = await broker.client();
      assert.is(brief(await third.connect({ clientId: '3' })), 'connack 0');
    },
    { manifest: { listeners: [{ mqtt: '127.0.0.1:0', maxConnections: 1 }] } },
  ),
);

limits('a hub with `retained: false` sends Retain Available 0 and refuses a message with RETAIN', () =>
  withBroker(
    async broker => {
      const client = await broker.client(5);
      const connack = await client.connect({ clientId: 'c' });
      if (connack === CLOSED || connack.cmd !== 'connack') throw new Error(brief(connack));
      assert.is(connack.properties?.retainAvailable, false);
      client.send(publishOf('a', 'x', 0, {}, true));
      const end = await client.next();
      assert.is(end === CLOSED ? end : end.cmd === 'disconnect' && end.reasonCode, 0x9a, '[MQTT-3.2.2-14]');
      const withWill = await broker.client(5);
      const will = { topic: 'a', payload: Buffer.from('x'), qos: 0, retain: true } as const;
      assert.is(brief(await withWill.connect({ will })), 'connack 154', '[MQTT-3.2.2-13]');
      const older = await broker.client();
      await older.connect({ clientId: 'old' });
      older.send(publishOf('a', 'x', 0, {}, true));
      assert.is(await older.next(), CLOSED);
      const subscriber = await broker.client();
      await subscriber.connect({ clientId: 's' });
      await subscriber.subscribe('a', 0);
      assert.equal(await subscriber.roundTrip(), []);
    },
    { manifest: { retained: false } },
  ),
);

limits('a CONNACK larger than the Maximum Packet Size of the client is not sent [MQTT-3.1.2-24]', () =>
  withBroker(async broker => {
    for (const maximumPacketSize of [1, 2, 4]) {
      const client = await broker.client(5);
      assert.is(
        await client.connect({ properties: { maximumPacketSize } }),
        CLOSED,
        String(maximumPacketSize),
      );
    }
    const short = await broker.client(5);
    assert.is(brief(await short.connect({ properties: { maximumPacketSize: 5 } })), 'connack 149');
    const fits = await broker.client(5);
    assert.is(brief(await fits.connect({ properties: { maximumPacketSize: 16 } })), 'connack 0');
    const named = await broker.client(5);
    assert.is(
      brief(await named.connect({ clientId: '', properties: { maximumPacketSize: 16 } })),
      'connack 149',
    );
  }),
);

limits(
  'a SUBACK or UNSUBACK larger than the Maximum Packet Size of the client closes the connection [MQTT-3.1.2-24]',
  () =>
    withBroker(async broker => {
      const filters = Array.from({ length: 20 }, (_, at) => `f/${at}`);
      const subscriptions = filters.map(topic => ({ topic, qos: 0 }) as const);
      for (const packet of [
        { cmd: 'subscribe', messageId: 1, subscriptions },
        { cmd: 'unsubscribe', messageId: 1, unsubscriptions: filters },
      ] as const) {
        const client = await broker.client(5);
        await client.connect({ properties: { maximumPacketSize: 16 } });
        client.send(packet);
        const end = await client.next();
        assert.is(end === CLOSED ? end : end.cmd === 'disconnect' && end.reasonCode, 0x95, packet.cmd);
        assert.is(await client.next(), CLOSED);
      }
    }),
);

limits('an UNSUBSCRIBE or SUBSCRIBE with an invalid filter closes the connection with 0x8f', () =>
  withBroker(async broker => {
    for (const filter of ['', 'a/#/b', 'a+', '$share/g', '$share//a', '$share/g/']) {
      for (const cmd of ['subscribe', 'unsubscribe'] as const) {
        const client = await broker.client(5);
        await client.connect({});
        client.send(
          cmd === 'subscribe'
            ? { cmd, messageId: 1, subscriptions: [{ topic: filter, qos: 0 }] }
            : { cmd, messageId: 1, unsubscriptions: [filter] },
        );
        const end = await client.next();
        assert.is(
          end === CLOSED ? end : end.cmd === 'disconnect' && end.reasonCode,
          0x8f,
          `${cmd} ${filter}`,
        );
      }
      const older = await broker.client();
      await older.connect({});
      older.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [filter] });
      assert.is(await older.next(), CLOSED, filter);
    }
  }),
);

limits('a CONNACK to an MQTT 3.1 client has 0 in its reserved first byte, also for a resumed session', () =>
  withBroker(async broker => {
    const connect = Buffer.from('\x10\x0f\x00\x06MQIsdp\x03\x00\x00\x00\x00\x01c', 'latin1');
    for (const _ of ['new', 'resumed']) {
      const client = await broker.client();
      const answer = new Promise<Buffer>(resolve => client.socket.once('data', resolve));
      client.write(connect);
      assert.is((await answer).toString('hex'), '20020000');
      await client.next();
      await client.leave();
    }
  }),
);

limits.run();
