import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerHarness, Client } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { createTestClock } from '../harness/clock.ts';

const retained = suite('broker: retained messages');

/** A packet in brief, with its RETAIN flag. */
function shown(packet: Packet | 'closed'): string {
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

/** Messages that a new subscriber receives after its SUBACK. */
async function heard(
  stage: BrokerHarness,
  topic: string,
  qos: 0 | 1 | 2,
  rh: 0 | 1 | 2 = 0,
): Promise<string[]> {
  const client = await stage.client(5);
  await client.connect({ clientId: `reader-${topic}-${qos}-${rh}` });
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos, rh }] });
  assert.match(brief(await client.next()), /^suback/);
  client.send({ cmd: 'pingreq' });
  const came: string[] = [];
  for (let packet = await client.next(); brief(packet) !== 'pingresp'; packet = await client.next())
    came.push(shown(packet));
  await client.leave();
  return came;
}

retained(
  '[MQTT-3.3.1-5] [MQTT-3.3.1-6] the newest of each topic is kept, over a restart, until an empty one',
  () =>
    withBroker(async stage => {
      const sender = await stage.client(5);
      await sender.connect({ clientId: 'sender' });
      await retain(sender, 'a/one', 'old');
      await retain(sender, 'a/one', 'new');
      await retain(sender, 'a/two', 'x');
      await retain(sender, 'b', 'y');
      assert.equal(await heard(stage, 'a/#', 1), ['a/one new q1 retained', 'a/two x q1 retained']);
      assert.equal(await heard(stage, 'a/+', 0), ['a/one new q0 retained', 'a/two x q0 retained']);
      await stage.restart();
      assert.equal(await heard(stage, 'a/one', 2), ['a/one new q1 retained']);
      const again = await stage.client(5);
      await again.connect({ clientId: 'sender' });
      await retain(again, 'a/one', '');
      assert.equal(await heard(stage, '#', 1), ['a/two x q1 retained', 'b y q1 retained']);
      assert.equal(await heard(stage, 'a/+', 1, 2), [], '[MQTT-3.3.1-11]');
      assert.equal(await heard(stage, '$share/g/a/+', 1), []);
    }),
);

retained(
  '[MQTT-3.3.1-12] [MQTT-3.3.1-13] the flag of one who hears it live is as the subscription says',
  () =>
    withBroker(async stage => {
      const reader = await stage.client(5);
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
      const sender = await stage.client(5);
      await sender.connect({ clientId: 'sender' });
      await retain(sender, 'plain', 'x');
      await retain(sender, 'as-published', 'x');
      assert.equal(
        [shown(await reader.next()), shown(await reader.next())],
        ['plain x q0', 'as-published x q0 retained'],
      );
    }),
);

retained('[MQTT-3.3.1-10] retain handling 1: only if the subscription is new', () =>
  withBroker(async stage => {
    const sender = await stage.client(5);
    await sender.connect({ clientId: 'sender' });
    await retain(sender, 'a', 'x');
    const reader = await stage.client(5);
    await reader.connect({ clientId: 'reader' });
    for (const wanted of [['suback 0', 'a x q0'], ['suback 0']]) {
      reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0, rh: 1 }] });
      assert.equal(await reader.roundTrip(), wanted);
    }
  }),
);

retained('what has expired is not sent, and what has not has so much less to live', async () => {
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const sender = await stage.client(5);
      await sender.connect({ clientId: 'sender' });
      await clock.until(retain(sender, 'short', 'x', 10));
      await clock.until(retain(sender, 'long', 'x', 100));
      clock.advance(30_000);
      assert.equal(await heard(stage, '#', 0), ['long x q0 retained']);
    },
    { clock },
  );
});

retained('thousands are sent to one who reads slowly, and none is lost', () =>
  withBroker(async stage => {
    const sender = await stage.client(5);
    await sender.connect({ clientId: 'sender' });
    const body = 'x'.repeat(2_000);
    for (let n = 0; n < 3_000; n++) {
      sender.send({ cmd: 'publish', topic: `many/${n}`, payload: body, qos: 0, dup: false, retain: true });
    }
    assert.equal(await sender.roundTrip(), []);
    const reader = await stage.client(4);
    await reader.connect({ clientId: 'reader' });
    reader.socket.pause();
    reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'many/#', qos: 0 }] });
    assert.equal(await sender.roundTrip(), []);
    reader.socket.resume();
    const came = await reader.roundTrip();
    assert.is(came.length, 3_001);
    assert.is(stage.hub().status().counts.broker.dropped, 0);
  }),
);

retained(
  'what the broker says of itself is heard at once by who asks for it, and not by who asks for all',
  () =>
    withBroker(async stage => {
      const sys = await heard(stage, '$SYS/broker/clients/connected', 0);
      assert.equal(sys, ['$SYS/broker/clients/connected 1 q0 retained']);
      assert.equal(await heard(stage, '#', 0), []);
    }),
);

retained.run();
