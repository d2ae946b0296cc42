import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../harness/broker.ts';
import { brief, withBroker } from '../harness/broker.ts';
import { published, publishOf } from '../harness/clients/mqtt5.ts';

/*
 * Requirements of chapters 3.8 to 3.12 and 4.7 of MQTT 5 on a server, by their numbers.
 */
const subscribing = suite('conformance: subscriptions');

type Wanted = { readonly topic: string; readonly qos: 0 | 1 | 2; readonly nl?: boolean };

async function subscribe(client: Client, subscriptions: readonly Wanted[], id?: number): Promise<string> {
  const properties = id === undefined ? {} : { subscriptionIdentifier: id };
  client.send({ cmd: 'subscribe', messageId: 7, subscriptions: [...subscriptions], properties });
  const answer = await client.next();
  assert.is(answer !== 'closed' && answer.cmd === 'suback' && answer.messageId, 7, '[MQTT-3.8.4-2]');
  return brief(answer);
}

async function unsubscribe(client: Client, filters: string[]): Promise<unknown> {
  client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: filters });
  const answer = await client.next();
  assert.is(answer !== 'closed' && answer.cmd === 'unsuback' && answer.messageId, 9, '[MQTT-3.10.4-5]');
  return answer !== 'closed' && answer.cmd === 'unsuback' ? answer.granted : undefined;
}

subscribing(
  '[MQTT-3.8.4-1] [MQTT-3.8.4-6] [MQTT-3.9.3-1] SUBACK has one code for each filter, in the order of the filters',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({ clientId: 'c' });
      const wanted: Wanted[] = [
        { topic: 'a', qos: 2 },
        { topic: '$upstream/x', qos: 0 },
        { topic: 'b/#', qos: 0 },
        { topic: '+/c', qos: 1 },
      ];
      assert.is(await subscribe(client, wanted), 'suback 2 135 0 1');
    }),
);

subscribing(
  '[MQTT-3.8.3-3] a subscription with No Local receives no message that its own client published',
  () =>
    withBroker(async broker => {
      const [one, other] = [await broker.client(5), await broker.client(5)];
      await one.connect({ clientId: 'one' });
      await other.connect({ clientId: 'other' });
      await subscribe(one, [{ topic: 'a', qos: 1, nl: true }]);
      for (const qos of [0, 1, 2] as const) {
        one.send({ ...publishOf('a', 'own', qos), messageId: 3 });
        other.send({ ...publishOf('a', 'theirs', qos), messageId: 3 });
      }
      await other.roundTrip();
      const received = (await one.roundTrip()).filter(text => text.startsWith('a '));
      assert.equal(received, ['a theirs q0', 'a theirs q1', 'a theirs q1']);
    }),
);

subscribing('[MQTT-3.8.4-3] a second subscription with the same filter replaces the first', () =>
  withBroker(async broker => {
    const client = await broker.client(5);
    await client.connect({ clientId: 'c' });
    await subscribe(client, [{ topic: 'a', qos: 2 }], 1);
    await subscribe(client, [{ topic: 'a', qos: 0 }], 2);
    client.send(publishOf('a', 'x', 0));
    const packet = await published(client);
    assert.equal([packet.qos, packet.properties?.subscriptionIdentifier], [0, 2]);
    assert.equal(await client.roundTrip(), []);
  }),
);

subscribing(
  '[MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4] a message for overlapping filters is sent once, with the highest QoS and all subscription identifiers',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({ clientId: 'c' });
      await subscribe(client, [{ topic: 'a/#', qos: 0 }], 10);
      await subscribe(client, [{ topic: 'a/+', qos: 2 }], 20);
      await subscribe(client, [{ topic: 'a/b', qos: 1 }]);
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      sender.send(publishOf('a/b', 'x', 2));
      const packet = await published(client);
      const ids = [packet.properties?.subscriptionIdentifier].flat().map(Number);
      assert.equal([packet.qos, ids.sort()], [2, [10, 20]]);
    }),
);

subscribing(
  '[MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.10.4-6] [MQTT-3.11.3-1] UNSUBSCRIBE removes only filters with exactly the same characters',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({ clientId: 'c' });
      await subscribe(client, [
        { topic: 'a/+', qos: 0 },
        { topic: 'b', qos: 0 },
        { topic: '$share/g/c', qos: 0 },
      ]);
      assert.equal(
        await unsubscribe(client, ['a/b', 'b', 'a/#', '$share/g/c', '$share/h/c']),
        [0x11, 0, 0x11, 0, 0x11],
      );
      for (const topic of ['a/b', 'b', 'c']) client.send(publishOf(topic, 'x', 0));
      assert.equal(await client.roundTrip(), ['a/b x q0'], '[MQTT-3.10.4-2]');
    }),
);

subscribing('[MQTT-3.10.4-3] UNSUBSCRIBE does not interrupt the QoS 2 handshake of a sent message', () =>
  withBroker(async broker => {
    const client = await broker.client(5);
    await client.connect({ clientId: 'c' });
    await subscribe(client, [{ topic: 'a', qos: 2 }]);
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender' });
    sender.send(publishOf('a', 'x', 2));
    const packet = await published(client);
    await unsubscribe(client, ['a']);
    client.send({ cmd: 'pubrec', messageId: packet.messageId ?? 0 });
    const release = await client.next();
    assert.is(release !== 'closed' && release.cmd === 'pubrel' && release.messageId, packet.messageId);
  }),
);

/** Invalid filters (4.7.1, 4.8.2). */
const INVALID_FILTERS = ['a/#/b', 'a#', 'a+/b', '+a', '$share/g', '$share//a', '$share/+/a', '$share/g/'];

for (const filter of INVALID_FILTERS) {
  subscribing(
    `[MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] [MQTT-4.8.2-2] a SUBSCRIBE with the invalid filter "${filter}" is answered with 0x8F`,
    () =>
      withBroker(async broker => {
        const client = await broker.client(5);
        await client.connect({ clientId: 'c' });
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 0 }] });
        const end = await client.next();
        assert.is(end !== 'closed' && end.cmd === 'disconnect' && end.reasonCode, 0x8f);
      }),
  );
}

subscribing(
  '[MQTT-1.5.4-3] [MQTT-4.7.3-4] topics are compared by their bytes, including U+FEFF, case, spaces and slashes',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({ clientId: 'c' });
      const topics = ['\ufeffa', 'a', 'A', '/a', 'a/', ' a', 'é', 'e\u0301'];
      for (const topic of topics) {
        await subscribe(client, [{ topic, qos: 0 }]);
        for (const other of topics) client.send(publishOf(other, 'x', 0));
        assert.equal(await client.roundTrip(), [`${topic} x q0`]);
        await unsubscribe(client, [topic]);
      }
    }),
);

subscribing('[MQTT-4.7.2-1] a wildcard at the first level does not match topics that begin with $', () =>
  withBroker(async broker => {
    const client = await broker.client(5);
    await client.connect({ clientId: 'c' });
    await subscribe(client, [
      { topic: '#', qos: 0 },
      { topic: '+/a', qos: 0 },
    ]);
    client.send(publishOf('$own/a', 'x', 0));
    client.send(publishOf('b/a', 'x', 0));
    assert.equal(await client.roundTrip(), ['b/a x q0']);
    await subscribe(client, [{ topic: '$own/#', qos: 0 }]);
    client.send(publishOf('$own/a', 'x', 0));
    assert.equal(await client.roundTrip(), ['$own/a x q0']);
  }),
);

subscribing(
  '[MQTT-3.3.5-2] a PUBLISH that is not authorized is answered with 0x87 at QoS 1 and 2, and the connection stays open',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({ clientId: 'c' });
      const codes: (number | undefined)[] = [];
      for (const qos of [1, 2] as const) {
        client.send({ ...publishOf('modules/m/outputs/o', 'x', qos), messageId: qos });
        const answer = await client.next();
        if (answer !== 'closed' && (answer.cmd === 'puback' || answer.cmd === 'pubrec'))
          codes.push(answer.reasonCode);
      }
      assert.equal(codes, [0x87, 0x87]);
      client.send(publishOf('modules/m/outputs/o', 'x', 0));
      assert.equal(await client.roundTrip(), [], '[MQTT-3.12.4-1]');
    }),
);

subscribing.run();
