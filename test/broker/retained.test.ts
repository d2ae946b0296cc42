import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerHarness, Client } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { createTestClock } from '../harness/clock.ts';

const retained = suite('broker: retained messages');

/** Returns a packet in brief with its RETAIN flag. */
function briefWithRetain(packet: Packet | 'closed'): string {
  const flag = packet !== 'closed' && packet.cmd === 'publish' && packet.retain ? ' retained' : '';
  return brief(packet) + flag;
}

async function retain(client: Client, topic: string, payload: string, expiry?: number): Promise<void> {
  const properties = expiry === undefined ? {} : { messageExpiryInterval: expiry };
  client.send({
    cmd: 'publish',
    topic,
    payload,
    qos: 1,
    dup: false,
    retain: true,
    messageId: 1,
    properties,
  });
  assert.is(brief(await client.next()), 'puback');
}

/** Resolves to the messages that a new subscriber receives after its SUBACK. */
async function receivedBySubscriber(
  broker: BrokerHarness,
  topic: string,
  qos: 0 | 1 | 2,
  rh: 0 | 1 | 2 = 0,
): Promise<string[]> {
  const client = await broker.client(5);
  await client.connect({ clientId: `reader-${topic}-${qos}-${rh}` });
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos, rh }] });
  assert.match(brief(await client.next()), /^suback/);
  client.send({ cmd: 'pingreq' });
  const received: string[] = [];
  for (let packet = await client.next(); brief(packet) !== 'pingresp'; packet = await client.next())
    received.push(briefWithRetain(packet));
  await client.leave();
  return received;
}

retained(
  '[MQTT-3.3.1-5] [MQTT-3.3.1-6] the newest retained message of a topic is stored until an empty message deletes it',
  () =>
    withBroker(async broker => {
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      await retain(sender, 'a/one', 'old');
      await retain(sender, 'a/one', 'new');
      await retain(sender, 'a/two', 'x');
      await retain(sender, 'b', 'y');
      assert.equal(await receivedBySubscriber(broker, 'a/#', 1), [
        'a/one new q1 retained',
        'a/two x q1 retained',
      ]);
      assert.equal(await receivedBySubscriber(broker, 'a/+', 0), [
        'a/one new q0 retained',
        'a/two x q0 retained',
      ]);
      await broker.restart();
      assert.equal(await receivedBySubscriber(broker, 'a/one', 2), ['a/one new q1 retained']);
      const again = await broker.client(5);
      await again.connect({ clientId: 'sender' });
      await retain(again, 'a/one', '');
      assert.equal(await receivedBySubscriber(broker, '#', 1), ['a/two x q1 retained', 'b y q1 retained']);
      assert.equal(await receivedBySubscriber(broker, 'a/+', 1, 2), [], '[MQTT-3.3.1-11]');
      assert.equal(await receivedBySubscriber(broker, '$share/g/a/+', 1), []);
    }),
);

retained(
  '[MQTT-3.3.1-12] [MQTT-3.3.1-13] a live message arrives with RETAIN only at a subscription with Retain As Published',
  () =>
    withBroker(async broker => {
      const reader = await broker.client(5);
      await reader.connect({ clientId: 'reader' });
      reader.send({
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [
          { topic: 'plain', qos: 0 },
          { topic: 'as-published', qos: 0, rap: true },
        ],
      });
      await reader.next();
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      await retain(sender, 'plain', 'x');
      await retain(sender, 'as-published', 'x');
      assert.equal(
        [briefWithRetain(await reader.next()), briefWithRetain(await reader.next())],
        ['plain x q0', 'as-published x q0 retained'],
      );
    }),
);

retained(
  '[MQTT-3.3.1-10] a SUBSCRIBE with Retain Handling 1 gets retained messages only if the subscription is new',
  () =>
    withBroker(async broker => {
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      await retain(sender, 'a', 'x');
      const reader = await broker.client(5);
      await reader.connect({ clientId: 'reader' });
      for (const wanted of [['suback 0', 'a x q0'], ['suback 0']]) {
        reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0, rh: 1 }] });
        assert.equal(await reader.roundTrip(), wanted);
      }
    }),
);

retained('a new subscriber receives no expired retained message', async () => {
  const clock = createTestClock();
  await withBroker(
    async broker => {
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      await clock.until(retain(sender, 'short', 'x', 10));
      await clock.until(retain(sender, 'long', 'x', 100));
      clock.advance(30_000);
      assert.equal(await receivedBySubscriber(broker, '#', 0), ['long x q0 retained']);
    },
    { clock },
  );
});

retained('a subscriber that reads slowly receives all of thousands of retained messages', () =>
  withBroker(async broker => {
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender' });
    const body = 'x'.repeat(2_000);
    for (let n = 0; n < 3_000; n++) {
      sender.send({ cmd: 'publish', topic: `many/${n}`, payload: body, qos: 0, dup: false, retain: true });
    }
    assert.equal(await sender.roundTrip(), []);
    const reader = await broker.client(4);
    await reader.connect({ clientId: 'reader' });
    reader.socket.pause();
    reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'many/#', qos: 0 }] });
    assert.equal(await sender.roundTrip(), []);
    reader.socket.resume();
    const received = await reader.roundTrip();
    assert.is(received.length, 3_001);
    assert.is(broker.hub().status().counts.broker.dropped, 0);
  }),
);

retained(
  'a new subscriber of a $SYS topic receives its current value, and a new subscriber of # does not',
  () =>
    withBroker(async broker => {
      const sys = await receivedBySubscriber(broker, '$SYS/broker/clients/connected', 0);
      assert.equal(sys, ['$SYS/broker/clients/connected 1 q0 retained']);
      assert.equal(await receivedBySubscriber(broker, '#', 0), []);
    }),
);

retained.run();
