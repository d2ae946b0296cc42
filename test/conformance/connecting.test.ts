import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { published } from '../harness/clients/mqtt5.ts';
import { createTestClock } from '../harness/clock.ts';

/*
 * Requirements of chapters 3.1, 3.2 and 3.14 of MQTT 5 on a server, by their numbers.
 */
const connecting = suite('conformance: connections');

const LASTING = { sessionExpiryInterval: 1000 };

/** Resolves to the reason code of a DISCONNECT or CONNACK, or to another packet in brief. */
async function reason(client: Client): Promise<number | string | undefined> {
  const packet = await client.next();
  if (packet === 'closed') return packet;
  return packet.cmd === 'disconnect' || packet.cmd === 'connack' ? packet.reasonCode : brief(packet);
}

connecting(
  '[MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.2.2-2] [MQTT-3.2.2-3] a CONNECT with Clean Start replaces a session, and a CONNECT without Clean Start resumes it',
  () =>
    withBroker(async broker => {
      for (const [clean, answer] of [
        [false, 'connack 0'],
        [false, 'connack 0 present'],
        [true, 'connack 0'],
        [false, 'connack 0 present'],
      ] as const) {
        const client = await broker.client(5);
        assert.is(brief(await client.connect({ clientId: 'c', clean, properties: LASTING })), answer);
        if (answer === 'connack 0') {
          await client.subscribe('a', 1);
          await client.leave();
        } else client.socket.destroy();
      }
    }),
);

connecting(
  '[MQTT-3.1.2-23] [MQTT-4.1.0-2] a session expires after its Session Expiry Interval, and not before',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const first = await broker.client(5);
        await first.connect({ clientId: 'c', clean: false, properties: { sessionExpiryInterval: 60 } });
        await clock.until(first.subscribe('a', 1));
        await first.leave();
        clock.advance(50_000);
        const second = await broker.client(5);
        const answer = await second.connect({
          clientId: 'c',
          clean: false,
          properties: { sessionExpiryInterval: 60 },
        });
        assert.is(brief(answer), 'connack 0 present');
        await second.leave();
        await clock.until(new Promise(resolve => setImmediate(resolve)));
        clock.advance(70_000);
        const third = await broker.client(5);
        assert.is(brief(await third.connect({ clientId: 'c', clean: false })), 'connack 0');
      },
      { clock },
    );
  },
);

connecting('[MQTT 5, 3.14.2.2.2] a DISCONNECT cannot extend a session that ends with its connection', () =>
  withBroker(async broker => {
    const client = await broker.client(5);
    await client.connect({ clientId: 'c' });
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: LASTING });
    assert.equal([await reason(client), await client.next()], [0x82, 'closed']);
    const lasting = await broker.client(5);
    await lasting.connect({ clientId: 'd', clean: false, properties: LASTING });
    lasting.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    assert.is(await lasting.next(), 'closed');
    const again = await broker.client(5);
    assert.is(brief(await again.connect({ clientId: 'd', clean: false })), 'connack 0');
  }),
);

connecting(
  '[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] each client without an identifier is assigned a unique identifier',
  () =>
    withBroker(async broker => {
      const given = new Set<string | undefined>();
      for (let n = 0; n < 3; n++) {
        const client = await broker.client(5);
        const answer = await client.connect({ clientId: '' });
        assert.ok(answer !== 'closed' && answer.cmd === 'connack');
        given.add(answer.properties?.assignedClientIdentifier);
      }
      assert.is(given.size, 3);
      assert.not(given.has(undefined));
      const named = await broker.client(5);
      const answer = await named.connect({ clientId: 'own' });
      assert.ok(answer !== 'closed' && answer.cmd === 'connack');
      assert.is(answer.properties?.assignedClientIdentifier, undefined);
    }),
);

connecting(
  '[MQTT-3.1.3-8] [MQTT-3.2.2-6] [MQTT-3.2.2-7] a CONNECT with an invalid client identifier is refused with 0x85',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      const answer = await client.connect({ clientId: 'a\u0001b' });
      assert.is(brief(answer), 'connack 133');
      assert.is(await client.next(), 'closed');
    }),
);

connecting(
  '[MQTT-4.12.0-1] an unknown authentication method is refused with 0x8C, and an unexpected AUTH with 0x82',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      const properties = { authenticationMethod: 'SCRAM-SHA-1', authenticationData: Buffer.from('x') };
      assert.is(brief(await client.connect({ clientId: 'c', properties })), 'connack 140');
      assert.is(await client.next(), 'closed');
      const other = await broker.client(5);
      await other.connect({ clientId: 'd' });
      other.write(Buffer.from([0xf0, 0x05, 0x18, 0x03, 0x15, 0, 0]));
      assert.equal([await reason(other), await other.next()], [0x82, 'closed']);
    }),
);

connecting(
  '[MQTT-3.1.4-3] a connection that takes a session over closes the older connection with 0x8E',
  () =>
    withBroker(async broker => {
      const [older, newer] = [await broker.client(5), await broker.client(5)];
      await older.connect({ clientId: 'c' });
      await newer.connect({ clientId: 'c' });
      assert.equal([await reason(older), await older.next()], [0x8e, 'closed']);
      assert.equal(await newer.roundTrip(), []);
    }),
);

connecting(
  '[MQTT-3.1.2-22] a client that sends no packet for one and a half keep-alives is disconnected with 0x8D',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const client = await broker.client(5);
        await client.connect({ clientId: 'c', keepalive: 10 });
        clock.advance(14_000);
        assert.equal(await client.roundTrip(), []);
        clock.advance(14_900);
        assert.equal(await client.roundTrip(), []);
        clock.advance(15_100);
        assert.equal([await reason(client), await client.next()], [0x8d, 'closed']);
      },
      { clock },
    );
  },
);

connecting(
  '[MQTT-4.13.1-1] a malformed packet is answered with DISCONNECT 0x81, and a too large packet with 0x95',
  () =>
    withBroker(async broker => {
      for (const [bytes, code] of [
        ['\x82\x02\x00\x01', 0x81],
        ['\x30\x80\x80\x80\x7f', 0x95],
        ['\x00\x00', 0x81],
      ] as const) {
        const client = await broker.client(5);
        await client.connect({ clientId: 'c' });
        client.write(Buffer.from(bytes, 'latin1'));
        assert.equal([await reason(client), await client.next()], [code, 'closed'], bytes);
      }
    }),
);

connecting('[MQTT-3.1.2-28] response information is sent to a client that requests it', () =>
  withBroker(async broker => {
    for (const wanted of [true, false]) {
      const client = await broker.client(5);
      const properties = { requestResponseInformation: wanted };
      const answer = await client.connect({ clientId: 'c', properties });
      assert.ok(answer !== 'closed' && answer.cmd === 'connack');
      assert.is(answer.properties?.responseInformation, wanted ? 'responses/c' : undefined);
    }
  }),
);

/** Ends of a connection, with the expected publication of its will. */
const ENDS: readonly (readonly [how: string, code: number | undefined, published: boolean])[] = [
  ['without DISCONNECT', undefined, true],
  ['by DISCONNECT 0x00 [MQTT-3.1.2-10] [MQTT-3.14.4-3]', 0x00, false],
  ['by DISCONNECT 0x04 [MQTT-3.14.4-3]', 0x04, true],
];

for (const [how, code, isPublished] of ENDS) {
  connecting(
    `[MQTT-3.1.2-8] [MQTT-3.1.3-10] [MQTT-3.1.2-15] the will is${isPublished ? '' : ' not'} published after the connection ends ${how}`,
    () =>
      withBroker(async broker => {
        const listener = await broker.client(5);
        await listener.connect({ clientId: 'listener' });
        listener.send({
          cmd: 'subscribe',
          messageId: 1,
          subscriptions: [{ topic: 'wills', qos: 1, rap: true }],
        });
        await listener.next();
        const withWill = await broker.client(5);
        const userProperties = { b: ['1', '2'], a: '3' };
        const properties = { contentType: 'text/plain', userProperties };
        const will = {
          topic: 'wills',
          payload: Buffer.from('gone'),
          qos: 1,
          retain: true,
          properties,
        } as const;
        await withWill.connect({ clientId: 'withWill', will });
        if (code === undefined) withWill.socket.destroy();
        else withWill.send({ cmd: 'disconnect', reasonCode: code });
        if (!isPublished) {
          while ((await withWill.next()) !== 'closed');
          assert.equal(await listener.roundTrip(), []);
          return;
        }
        const packet = await published(listener);
        assert.equal([packet.payload.toString(), packet.qos, packet.retain], ['gone', 1, true]);
        assert.is(packet.properties?.contentType, 'text/plain');
        assert.equal({ ...packet.properties?.userProperties }, userProperties);
      }),
  );
}

connecting(
  '[MQTT-3.1.3-9] a will is published after its delay unless its client reconnects earlier',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const listener = await broker.client(5);
        await listener.connect({ clientId: 'listener' });
        await listener.subscribe('wills', 0);
        const properties = { willDelayInterval: 30 };
        const will = {
          topic: 'wills',
          payload: Buffer.from('gone'),
          qos: 0,
          retain: false,
          properties,
        } as const;
        const options = { clientId: 'withWill', clean: false, properties: LASTING, will };
        const drop = async (): Promise<void> => {
          const withWill = await broker.client(5);
          await withWill.connect(options);
          withWill.socket.destroy();
          const gone = () => broker.hub().status().counts.broker.connections === 1;
          while (!gone()) await new Promise(resolve => setImmediate(resolve));
        };
        await drop();
        clock.advance(29_000);
        assert.equal(await listener.roundTrip(), []);
        await drop();
        clock.advance(29_000);
        assert.equal(await listener.roundTrip(), []);
        clock.advance(2_000);
        assert.equal(await listener.roundTrip(), ['wills gone q0']);
      },
      { clock },
    );
  },
);

connecting.run();
