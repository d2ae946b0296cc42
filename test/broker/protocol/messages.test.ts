import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLOSE_LINGER_MS } from '../../../src/core/limits.ts';
import type { QoS } from '../../../src/core/message.ts';
import { COMMIT_WINDOW_MS } from '../../../src/manifest/limits.ts';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';

const messages = suite('broker: messages');

/** Published with QoS, subscribed with QoS: what arrives, by [MQTT-3.8.4-6]. */
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
  messages(`published at ${published}, subscribed at ${subscribed}: ${arrives}`, () =>
    withBroker(async stage => {
      const client = await stage.client();
      await client.connect({});
      assert.is(brief(await client.subscribe('t/+', subscribed)), `suback ${subscribed}`);
      const sender = await stage.client();
      await sender.connect({ clientId: 'sender' });
      sender.publish('t/a', 'x', published);
      if (published > 0) assert.is(brief(await sender.next()), published === 1 ? 'puback' : 'pubrec');
      assert.is(brief(await client.next()), arrives);
    }),
  );
}

messages('[MQTT-4.6.0-2] PUBACKs come in the order of the PUBLISHes, also where one waits for the disk', () =>
  withBroker(async stage => {
    const reader = await stage.client();
    await reader.connect({ clientId: 'reader', clean: false });
    await reader.subscribe('kept', 1);
    reader.send({ cmd: 'disconnect' });
    await reader.next();
    const sender = await stage.client();
    await sender.connect({});
    for (let id = 1; id <= 20; id++) sender.publish(id % 3 === 0 ? 'kept' : 'nobody', String(id), 1, id);
    for (let id = 1; id <= 20; id++) {
      const packet = await sender.next();
      assert.is(packet !== 'closed' && packet.messageId, id);
    }
  }),
);

messages('an acknowledgement means durable: no PUBACK before the commit of what must be kept', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const reader = await stage.client();
      await reader.connect({ clientId: 'reader', clean: false });
      reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'kept', qos: 1 }] });
      reader.send({ cmd: 'pingreq' });
      await reader.next();
      clock.advance(COMMIT_WINDOW_MS);
      assert.is(brief(await reader.next()), 'suback 1');
      reader.send({ cmd: 'disconnect' });
      await reader.next();
      const sender = await stage.client();
      await sender.connect({});
      sender.publish('kept', 'x', 1, 5);
      sender.send({ cmd: 'pingreq' });
      assert.is(brief(await sender.next()), 'pingresp');
      clock.advance(COMMIT_WINDOW_MS);
      assert.is(brief(await sender.next()), 'puback');
      assert.is(stage.hub().status().counts.store.commits, 2);
    },
    { clock },
  );
});

/** A body that the smallest store holds a few of. */
const LARGE = 'x'.repeat(1_000_000);

messages(
  'a full store ends a connection of MQTT 3.1.1 without a PUBACK, so that its client sends again',
  () =>
    withBroker(
      async stage => {
        const reader = await stage.client();
        await reader.connect({ clientId: 'reader', clean: false });
        await reader.subscribe('kept', 1);
        reader.send({ cmd: 'disconnect' });
        await reader.next();
        const sender = await stage.client();
        await sender.connect({});
        for (let id = 1; id <= 2; id++) {
          sender.publish('kept', LARGE, 1, id);
          assert.is(brief(await sender.next()), 'puback');
        }
        // More than the rest of the room, whatever the journals take of it.
        for (let id = 3; id <= 8; id++) sender.publish('kept', LARGE, 1, id);
        const answers: string[] = [];
        for (let answer = await sender.next(); answer !== 'closed'; answer = await sender.next())
          answers.push(brief(answer));
        assert.ok(answers.length < 6 && answers.every(answer => answer === 'puback'), answers.join());
        assert.ok(stage.hub().status().counts.store.refused > 0);
        assert.is(stage.log.filter(line => line.startsWith('warn queue: The store is full')).length, 1);
      },
      { manifest: { storeAndForward: { maxSize: '8M', maxQueueSize: '16M' } } },
    ),
);

/** Forbidden publications: the connection ends without a PUBACK. */
const FORBIDDEN: readonly (readonly [what: string, topic: string, qos: 1 | 2, id: number])[] = [
  ['for a module', 'modules/m/outputs/o', 1, 1],
  ['to a module', 'modules/m/inputs/i', 1, 1],
  ['on a $ topic', '$SYS/x', 1, 1],
];

for (const [what, topic, qos, id] of FORBIDDEN) {
  messages(`publishing ${what} ends the connection`, () =>
    withBroker(async stage => {
      const client = await stage.client();
      await client.connect({});
      client.publish(topic, 'x', qos, id);
      assert.is(await client.next(), 'closed');
    }),
  );
}

messages('[MQTT-3.3.2-2] a topic with a wildcard ends the connection', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({});
    client.write(Buffer.from('\x30\x06\x00\x03a/+x', 'latin1'));
    assert.is(await client.next(), 'closed');
  }),
);

/** Sends `count` messages of 100 KB to a subscriber that reads nothing; resolves to their sender. */
async function flood(stage: BrokerHarness, clientId: string, count: number): Promise<Client> {
  const reader = await stage.client();
  await reader.connect({ clientId });
  await reader.subscribe('flood', 0);
  reader.socket.pause();
  const sender = await stage.client();
  await sender.connect({ clientId: 'sender' });
  const body = 'x'.repeat(100_000);
  for (let id = 1; id <= count; id++) sender.publish('flood', body, 1, id);
  for (let id = 1; id <= count; id++) assert.is(brief(await sender.next()), 'puback');
  return sender;
}

messages('a subscriber that does not read loses QoS 0, counted, and the hub keeps within its bound', () =>
  withBroker(async stage => {
    await flood(stage, 'slow', 200);
    const { sent, dropped } = stage.hub().status().counts.broker;
    assert.is(sent + dropped, 200);
    assert.ok(dropped > 50, `only ${dropped} were dropped`);
  }),
);

messages('a client that reads nothing cannot hold up its own end', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const sender = await flood(stage, 'stuck', 100);
      const second = await stage.client();
      await second.connect({ clientId: 'stuck' });
      assert.is(stage.hub().status().counts.broker.connections, 3);
      clock.advance(CLOSE_LINGER_MS);
      sender.send({ cmd: 'pingreq' });
      assert.is(brief(await sender.next()), 'pingresp');
      assert.is(stage.hub().status().counts.broker.connections, 2);
    },
    { clock },
  );
});

messages.run();
