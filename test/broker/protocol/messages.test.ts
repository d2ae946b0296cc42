import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLOSE_LINGER_MS } from '../../../src/core/limits.ts';
import type { QoS } from '../../../src/core/message.ts';
import { COMMIT_WINDOW_MS } from '../../../src/manifest/limits.ts';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';

const messages = suite('broker: messages');

/** QoS of a message and of its subscription, with the delivered packet [MQTT-3.8.4-6]. */
const QOS: readonly (readonly [published: QoS, subscribed: QoS, arrives: string])[] = [
  [0, 0, 't/a x q0'],
  [0, 1, 't/a x q0'],
  [0, 2, 't/a x q0'],
  [1, 0, 't/a x q0'],
  [1, 1, 't/a x q1'],
  [1, 2, 't/a x q1'],
  [2, 0, 't/a x q0'],
  [2, 1, 't/a x q1'],
  [2, 2, 't/a x q2'],
];

for (const [published, subscribed, arrives] of QOS) {
  messages(
    `a message at QoS ${published} arrives as "${arrives}" at a subscription with QoS ${subscribed}`,
    () =>
      withBroker(async broker => {
        const client = await broker.client();
        await client.connect({});
        assert.is(brief(await client.subscribe('t/+', subscribed)), `suback ${subscribed}`);
        const sender = await broker.client();
        await sender.connect({ clientId: 'sender' });
        sender.publish('t/a', 'x', published);
        if (published > 0) assert.is(brief(await sender.next()), published === 1 ? 'puback' : 'pubrec');
        assert.is(brief(await client.next()), arrives);
      }),
  );
}

messages(
  '[MQTT-4.6.0-2] PUBACKs are sent in the order of the PUBLISHes, also if one PUBLISH waits for the disk',
  () =>
    withBroker(async broker => {
      const reader = await broker.client();
      await reader.connect({ clientId: 'reader', clean: false });
      await reader.subscribe('kept', 1);
      reader.send({ cmd: 'disconnect' });
      await reader.next();
      const sender = await broker.client();
      await sender.connect({});
      for (let id = 1; id <= 20; id++) sender.publish(id % 3 === 0 ? 'kept' : 'nobody', String(id), 1, id);
      for (let id = 1; id <= 20; id++) {
        const packet = await sender.next();
        assert.is(packet !== 'closed' && packet.messageId, id);
      }
    }),
);

messages('a QoS 1 PUBLISH that must be stored gets its PUBACK only after the commit', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const reader = await broker.client();
      await reader.connect({ clientId: 'reader', clean: false });
      reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'kept', qos: 1 }] });
      reader.send({ cmd: 'pingreq' });
      await reader.next();
      clock.advance(COMMIT_WINDOW_MS);
      assert.is(brief(await reader.next()), 'suback 1');
      reader.send({ cmd: 'disconnect' });
      await reader.next();
      const sender = await broker.client();
      await sender.connect({});
      sender.publish('kept', 'x', 1, 5);
      sender.send({ cmd: 'pingreq' });
      assert.is(brief(await sender.next()), 'pingresp');
      clock.advance(COMMIT_WINDOW_MS);
      assert.is(brief(await sender.next()), 'puback');
      assert.is(broker.hub().status().counts.store.commits, 2);
    },
    { clock },
  );
});

/** Body so large that the smallest store has room for only a few. */
const LARGE = 'x'.repeat(1_000_000);

messages('a full store closes the connection of an MQTT 3.1.1 publisher without sending a PUBACK', () =>
  withBroker(
    async broker => {
      const reader = await broker.client();
      await reader.connect({ clientId: 'reader', clean: false });
      await reader.subscribe('kept', 1);
      reader.send({ cmd: 'disconnect' });
      await reader.next();
      const sender = await broker.client();
      await sender.connect({});
      for (let id = 1; id <= 2; id++) {
        sender.publish('kept', LARGE, 1, id);
        assert.is(brief(await sender.next()), 'puback');
      }
      // Exceeds the free space, however much of it the journals use.
      for (let id = 3; id <= 8; id++) sender.publish('kept', LARGE, 1, id);
      const answers: string[] = [];
      for (let answer = await sender.next(); answer !== 'closed'; answer = await sender.next())
        answers.push(brief(answer));
      assert.ok(answers.length < 6 && answers.every(answer => answer === 'puback'), answers.join());
      assert.ok(broker.hub().status().counts.store.refused > 0);
      assert.is(broker.log.filter(line => line.startsWith('warn queue: The store is full')).length, 1);
    },
    { manifest: { storeAndForward: { maxSize: '8M', maxQueueSize: '16M' } } },
  ),
);

/** Forbidden topics. A PUBLISH on one of these closes the connection without a PUBACK. */
const FORBIDDEN: readonly (readonly [what: string, topic: string, qos: 1 | 2, id: number])[] = [
  ['on an output of a module', 'modules/m/outputs/o', 1, 1],
  ['on an input of a module', 'modules/m/inputs/i', 1, 1],
  ['on a $SYS topic', '$SYS/x', 1, 1],
];

for (const [what, topic, qos, id] of FORBIDDEN) {
  messages(`a PUBLISH ${what} closes the connection`, () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({});
      client.publish(topic, 'x', qos, id);
      assert.is(await client.next(), 'closed');
    }),
  );
}

messages('[MQTT-3.3.2-2] a PUBLISH on a topic with a wildcard closes the connection', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    client.write(Buffer.from('\x30\x06\x00\x03a/+x', 'latin1'));
    assert.is(await client.next(), 'closed');
  }),
);

/** Sends `count` messages of 100 KB to a subscriber that reads nothing. Resolves to the publisher. */
async function flood(broker: BrokerHarness, clientId: string, count: number): Promise<Client> {
  const reader = await broker.client();
  await reader.connect({ clientId });
  await reader.subscribe('flood', 0);
  reader.socket.pause();
  const sender = await broker.client();
  await sender.connect({ clientId: 'sender' });
  const body = 'x'.repeat(100_000);
  for (let id = 1; id <= count; id++) sender.publish('flood', body, 1, id);
  for (let id = 1; id <= count; id++) assert.is(brief(await sender.next()), 'puback');
  return sender;
}

messages(
  'QoS 0 messages above the memory limit of a subscriber that does not read are dropped and counted',
  () =>
    withBroker(async broker => {
      await flood(broker, 'slow', 200);
      const { sent, dropped } = broker.hub().status().counts.broker;
      assert.is(sent + dropped, 200);
      assert.ok(dropped > 50, `only ${dropped} were dropped`);
    }),
);

messages(
  'after a session takeover the old connection of a client that reads nothing is closed at the linger timeout',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const sender = await flood(broker, 'stuck', 100);
        const second = await broker.client();
        await second.connect({ clientId: 'stuck' });
        assert.is(broker.hub().status().counts.broker.connections, 3);
        clock.advance(CLOSE_LINGER_MS);
        sender.send({ cmd: 'pingreq' });
        assert.is(brief(await sender.next()), 'pingresp');
        assert.is(broker.hub().status().counts.broker.connections, 2);
      },
      { clock },
    );
  },
);

messages.run();
