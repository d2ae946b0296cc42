import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SUBSCRIPTIONS } from '../../../src/broker/limits.ts';
import type { Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const subscribing = suite('broker: subscriptions');

/** Filters, each with the topics that its subscriber receives. */
const WILDCARDS: readonly (readonly [filter: string, topics: readonly string[]])[] = [
  ['sport', ['sport']],
  ['sport/#', ['sport', 'sport/a', 'sport/a/x']],
  ['sport/+', ['sport/a']],
  ['+/+', ['sport/a', '/a']],
  ['/+', ['/a']],
  ['+', ['sport', 'b']],
  ['+/a/#', ['sport/a', 'sport/a/x', '/a']],
  ['#', ['sport', 'sport/a', 'sport/a/x', '/a', 'b']],
];

subscribing(
  '[MQTT-4.7.1-2] [MQTT-4.7.1-3] a subscriber receives exactly the topics that its wildcards match',
  () =>
    withBroker(async broker => {
      const readers: Client[] = [];
      for (const [filter] of WILDCARDS) {
        const reader = await broker.client();
        await reader.connect({ clientId: filter });
        assert.is(brief(await reader.subscribe(filter, 0)), 'suback 0');
        readers.push(reader);
      }
      const sender = await broker.client();
      await sender.connect({ clientId: 'sender' });
      for (const topic of ['sport', 'sport/a', 'sport/a/x', '/a', 'b']) sender.publish(topic, 'x', 0);
      assert.equal(await sender.roundTrip(), []);
      for (const [index, [filter, topics]] of WILDCARDS.entries()) {
        const expected = topics.map(topic => `${topic} x q0`);
        assert.equal(await readers[index]?.roundTrip(), expected, filter);
      }
    }),
);

subscribing('[MQTT-3.8.4-3] a second SUBSCRIBE for the same filter replaces its QoS', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    await client.subscribe('a', 1);
    await client.subscribe('a', 0);
    client.publish('a', 'x', 0);
    client.publish('a', 'y', 1);
    assert.equal((await client.roundTrip()).sort(), ['a x q0', 'a y q0', 'puback']);
  }),
);

subscribing(
  '[MQTT-3.3.5-1] a message that matches overlapping filters is delivered once, at the highest QoS',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({});
      for (const [filter, qos] of [
        ['a/#', 0],
        ['a/b', 1],
        ['+/b', 0],
      ] as const)
        await client.subscribe(filter, qos);
      client.publish('a/b', 'x', 1, 7);
      const received = [brief(await client.next()), brief(await client.next())].sort();
      assert.equal(received, ['a/b x q1', 'puback']);
      client.send({ cmd: 'pingreq' });
      assert.is(brief(await client.next()), 'pingresp');
    }),
);

subscribing('SUBACK refuses only the forbidden filters of a SUBSCRIBE that also has allowed filters', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [
        { topic: '$upstream/#', qos: 0 },
        { topic: 'a', qos: 1 },
      ],
    });
    assert.is(brief(await client.next()), 'suback 128 1');
  }),
);

subscribing('[MQTT-4.7.1-3] a SUBSCRIBE with an invalid filter closes the connection', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    client.write(Buffer.from('\x82\x08\x00\x01\x00\x03a+b\x00', 'latin1'));
    assert.is(await client.next(), 'closed');
  }),
);

subscribing('SUBACK refuses each subscription above the maximum number of subscriptions of a session', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    const subscriptions = Array.from({ length: MAX_SUBSCRIPTIONS + 2 }, (_, n) => ({
      topic: `t/${n}`,
      qos: 0 as const,
    }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const answer = await client.next();
    const granted = answer !== 'closed' && answer.cmd === 'suback' ? answer.granted : [];
    assert.equal(granted.slice(-3), [0, 128, 128]);
  }),
);

subscribing(
  '[MQTT-3.10.4-1] a client that has unsubscribed from a filter receives no message that matches this filter',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({});
      await client.subscribe('a', 0);
      client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'] });
      assert.is(brief(await client.next()), 'unsuback');
      client.publish('a', 'x', 1, 3);
      assert.is(brief(await client.next()), 'puback');
    }),
);

subscribing.run();
