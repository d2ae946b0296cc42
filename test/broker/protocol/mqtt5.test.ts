import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ALIASED_TOPIC_UNITS, MAX_PENDING_PUBLISHES } from '../../../src/broker/limits.ts';
import { MAX_USER_PROPERTIES } from '../../../src/core/limits.ts';
import { MAX_CACHED_TOPIC_LENGTH } from '../../../src/routes/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import type { Properties } from '../../harness/clients/mqtt5.ts';
import { published, publishOf } from '../../harness/clients/mqtt5.ts';
import { createTestClock } from '../../harness/clock.ts';

const mqtt5 = suite('broker: MQTT 5');

mqtt5('[MQTT-3.3.2-18] user properties and all other properties of a message arrive as they were sent', () =>
  withBroker(async broker => {
    const [reader, sender] = [await broker.client(5), await broker.client(5)];
    await reader.connect({ clientId: 'reader' });
    reader.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 'a/#', qos: 2 }],
      properties: { subscriptionIdentifier: 77 },
    });
    await reader.next();
    await sender.connect({ clientId: 'sender' });
    const properties: Properties = {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([0, 255]),
      userProperties: { unit: ['C', 'K'], place: 'shed' },
    };
    for (const qos of [0, 1, 2] as const) {
      sender.send(publishOf('a/b', 'x', qos, properties));
      const packet = await published(reader);
      assert.equal({ ...packet.properties?.userProperties }, properties.userProperties);
      const { userProperties: _, ...rest } = packet.properties ?? {};
      const { userProperties: __, ...wanted } = properties;
      assert.equal(rest, { ...wanted, subscriptionIdentifier: 77 });
    }
  }),
);

mqtt5(
  '[MQTT-3.3.2-6] Message Expiry Interval is reduced by the time that a message has waited in the hub',
  async () => {
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const reader = await broker.client(5);
        const persistent = { clientId: 'reader', clean: false, properties: { sessionExpiryInterval: 1000 } };
        await reader.connect(persistent);
        await clock.until(reader.subscribe('a', 1));
        await reader.leave();
        const sender = await broker.client(5);
        await sender.connect({ clientId: 'sender' });
        const sent = clock.monotonic();
        sender.send(publishOf('a', 'short', 1, { messageExpiryInterval: 10 }));
        sender.send({ ...publishOf('a', 'long', 1, { messageExpiryInterval: 100 }), messageId: 2 });
        sender.send({ ...publishOf('a', 'for ever', 1), messageId: 3 });
        for (let n = 0; n < 3; n++) assert.is(brief(await clock.until(sender.next())), 'puback');
        const accepted = clock.monotonic();
        clock.advance(30_000);
        const again = await broker.client(5);
        assert.is(brief(await again.connect(persistent)), 'connack 0 present');
        const long = await published(again);
        assert.is(long.payload.toString(), 'long');
        const left = long.properties?.messageExpiryInterval ?? 0;
        const waited = [sent, accepted].map(since => (clock.monotonic() - since) / 1000);
        const [most = 0, least = 0] = waited;
        assert.ok(left >= 100 - most && left <= 101 - least, `${left} s are left after ${least} to ${most}`);
        const last = await published(again);
        assert.equal(
          [last.payload.toString(), last.properties?.messageExpiryInterval],
          ['for ever', undefined],
        );
      },
      { clock },
    );
  },
);

mqtt5(
  '[MQTT-4.8.2-3] a message of a shared subscription is sent to another member if its receiver disconnects',
  () =>
    withBroker(async broker => {
      const members = [await broker.client(5), await broker.client(5)];
      for (const [index, member] of members.entries()) {
        await member.connect({ clientId: `member-${index}` });
        await member.subscribe('$share/workers/jobs/+', 1);
      }
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      for (let n = 1; n <= 10; n++) sender.send({ ...publishOf(`jobs/${n}`, String(n), 1), messageId: n });
      const received = await Promise.all(
        members.map(async member => {
          const list: string[] = [];
          for (let n = 0; n < 5; n++) list.push((await published(member)).payload.toString());
          return list;
        }),
      );
      assert.equal(
        received
          .flat()
          .map(Number)
          .sort((one, other) => one - other),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
      members[0]?.socket.destroy();
      const accepted: string[] = [];
      for (let n = 0; n < 5; n++)
        if (members[1] !== undefined) accepted.push((await published(members[1])).payload.toString());
      assert.equal(accepted.sort(), received[0]?.toSorted());
    }),
);

mqtt5('[MQTT-4.9.0-2] a client never has more unacknowledged messages than its Receive Maximum', () =>
  withBroker(async broker => {
    const reader = await broker.client(5);
    await reader.connect({ clientId: 'reader', properties: { receiveMaximum: 3 } });
    await reader.subscribe('a', 1);
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender' });
    for (let n = 1; n <= 8; n++) sender.send({ ...publishOf('a', String(n), 1), messageId: n });
    for (let n = 1; n <= 8; n++) assert.is(brief(await sender.next()), 'puback');
    assert.equal(await reader.roundTrip(), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    reader.send({ cmd: 'puback', messageId: 1 });
    assert.equal(await reader.roundTrip(), ['a 4 q1']);
  }),
);

mqtt5('[MQTT-3.3.4-9] a client that exceeds the Receive Maximum of the hub is disconnected with 0x93', () =>
  withBroker(async broker => {
    const sender = await broker.client(5);
    const answer = await sender.connect({ clientId: 'sender' });
    const most = answer !== 'closed' && answer.cmd === 'connack' ? answer.properties?.receiveMaximum : 0;
    assert.is(most, MAX_PENDING_PUBLISHES);
    for (let n = 1; n <= MAX_PENDING_PUBLISHES + 1; n++)
      sender.send({ ...publishOf('a', 'x', 2), messageId: n });
    let last = await sender.next();
    while (last !== 'closed' && last.cmd === 'pubrec') last = await sender.next();
    assert.is(last !== 'closed' && last.cmd === 'disconnect' && last.reasonCode, 0x93);
  }),
);

mqtt5(
  '[MQTT-3.3.2-8] a known topic alias stands for its topic, and an unknown topic alias closes the connection',
  () =>
    withBroker(async broker => {
      const [reader, sender] = [await broker.client(5), await broker.client(5)];
      await reader.connect({ clientId: 'reader' });
      await reader.subscribe('#', 0);
      await sender.connect({ clientId: 'sender' });
      sender.send(publishOf('long/topic', '1', 0, { topicAlias: 3 }));
      sender.send(publishOf('', '2', 0, { topicAlias: 3 }));
      sender.send(publishOf('other', '3', 0, { topicAlias: 3 }));
      sender.send(publishOf('', '4', 0, { topicAlias: 3 }));
      const topics: string[] = [];
      for (let n = 0; n < 4; n++) topics.push((await published(reader)).topic);
      assert.equal(topics, ['long/topic', 'long/topic', 'other', 'other']);
      sender.send(publishOf('', 'x', 0, { topicAlias: 4 }));
      const end = await sender.next();
      assert.is(end !== 'closed' && end.cmd === 'disconnect' && end.reasonCode, 0x82);
      const high = await broker.client(5);
      await high.connect({ clientId: 'high' });
      high.send(publishOf('a', 'x', 0, { topicAlias: 65 }));
      const why = await high.next();
      assert.is(why !== 'closed' && why.cmd === 'disconnect' && why.reasonCode, 0x94);
    }),
);

/** Resolves to the reason code of the DISCONNECT that answers `packets`. */
async function disconnectReason(
  broker: BrokerHarness,
  packets: readonly Packet[],
): Promise<number | undefined> {
  const client = await broker.client(5);
  await client.connect({ clientId: 'sender' });
  for (const packet of packets) client.send(packet);
  const end = await client.next();
  return end !== 'closed' && end.cmd === 'disconnect' ? end.reasonCode : undefined;
}

mqtt5('a client whose aliased topics exceed their maximum total length is disconnected with 0x97', () =>
  withBroker(async broker => {
    const long = (alias: number) =>
      publishOf(`${alias}/`.padEnd(MAX_ALIASED_TOPIC_UNITS / 2, 'x'), '', 0, { topicAlias: alias });
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'within' });
    for (const alias of [1, 2, 1, 2]) sender.send(long(alias));
    assert.equal(await sender.roundTrip(), []);
    assert.is(
      await disconnectReason(broker, [long(1), long(2), publishOf('more', '', 0, { topicAlias: 3 })]),
      0x97,
    );
  }),
);

mqtt5(
  'a client that sends a packet with more than MAX_USER_PROPERTIES user properties is disconnected with 0x97',
  () =>
    withBroker(async broker => {
      const withProperties = (count: number) =>
        publishOf('a', 'x', 1, { userProperties: { k: new Array<string>(count).fill('') } });
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'within' });
      sender.send(withProperties(MAX_USER_PROPERTIES));
      assert.equal(await sender.roundTrip(), ['puback']);
      assert.is(await disconnectReason(broker, [withProperties(MAX_USER_PROPERTIES + 1)]), 0x97);
    }),
);

mqtt5('a message whose topic exceeds the maximum length for aliases is sent without an alias', () =>
  withBroker(async broker => {
    const reader = await broker.client(5);
    await reader.connect({ clientId: 'reader', properties: { topicAliasMaximum: 10 } });
    await reader.subscribe('#', 1);
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender' });
    const topic = 'x'.repeat(MAX_CACHED_TOPIC_LENGTH + 1);
    for (let n = 0; n < 3; n++) {
      sender.send(publishOf(topic, String(n), 0));
      const received = await published(reader);
      assert.equal(
        [received.topic, received.payload.toString(), received.properties?.topicAlias],
        [topic, String(n), undefined],
      );
    }
  }),
);

mqtt5(
  '[MQTT-3.1.2-25] a message above the Maximum Packet Size of the client is skipped and blocks no later message',
  () =>
    withBroker(async broker => {
      const reader = await broker.client(5);
      await reader.connect({ clientId: 'reader', properties: { maximumPacketSize: 100, receiveMaximum: 1 } });
      await reader.subscribe('a', 1);
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      for (const qos of [0, 1] as const) {
        sender.send(publishOf('a', 'x'.repeat(200), qos));
        sender.send({ ...publishOf('a', 'short', qos), messageId: 2 });
      }
      assert.equal(await sender.roundTrip(), ['puback', 'puback']);
      assert.equal(await reader.roundTrip(), ['a short q0', 'a short q1']);
    }),
);

mqtt5('[MQTT-3.3.2-8] topics are sent by alias to a client that sets Topic Alias Maximum', () =>
  withBroker(async broker => {
    const reader = await broker.client(5);
    const properties = { topicAliasMaximum: 1, maximumPacketSize: 100 };
    await reader.connect({ clientId: 'reader', properties });
    await reader.subscribe('#', 0);
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender' });
    const received: (readonly [string, number | undefined])[] = [];
    for (const [topic, text] of [
      ['first/topic', 'x'.repeat(200)],
      ['first/topic', '1'],
      ['second', '2'],
      ['first/topic', '3'],
    ] as const) {
      sender.send(publishOf(topic, text, 0));
      if (text.length > 1) continue;
      const packet = await published(reader);
      received.push([packet.topic, packet.properties?.topicAlias]);
    }
    assert.equal(received, [
      ['first/topic', 1],
      ['second', undefined],
      ['', 1],
    ]);
  }),
);

mqtt5.run();
