import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ask } from '../../../src/cli/control.ts';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import type { BrokerHarness, Client, ConnectOptions } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { publishOf } from '../../harness/clients/mqtt5.ts';

const rights = suite('broker: changed grants');

const AT_ONCE = { deployment: { healthyFor: '0s', within: '10s' } };

const anonymous = (subscribe: readonly string[], publish: readonly string[] = ['#']): object => ({
  ...AT_ONCE,
  anonymous: { publish, subscribe },
});

/** Applies another manifest and waits until the hub is healthy with it. */
async function apply(broker: BrokerHarness, manifest: object): Promise<void> {
  const listeners = [{ mqtt: '127.0.0.1:0' }];
  const file = join(broker.folder, 'next.json');
  writeFileSync(file, JSON.stringify({ name: 'test', listeners, ...manifest }));
  const before = broker.log.length;
  const { id } = await ask(join(broker.folder, 'data'), 'apply', file);
  const holds = (line: string): boolean => line.includes(id.slice(0, 8)) && line.includes('is healthy');
  while (!broker.log.slice(before).some(holds)) await new Promise(resolve => setTimeout(resolve, 10));
}

async function enter(broker: BrokerHarness, options: ConnectOptions, version: 4 | 5 = 4): Promise<Client> {
  const client = await broker.client(version);
  assert.is(brief(await client.connect(options)), 'connack 0');
  return client;
}

/** Publishes on each topic and waits for the PUBACK, at QoS 0 for a PINGRESP. */
async function publishAll(client: Client, topics: readonly string[], qos: 0 | 1): Promise<void> {
  for (const [at, topic] of topics.entries()) {
    client.publish(topic, 'x', qos, at + 1);
    if (qos === 1) assert.is(brief(await client.next()), 'puback');
    else await client.roundTrip();
  }
}

/** Receives and acknowledges the next `count` messages. Resolves to the sorted messages in brief. */
async function receive(client: Client, count: number): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) {
    const packet = await client.next();
    received.push(brief(packet));
    if (packet !== 'closed' && packet.cmd === 'publish' && packet.qos === 1)
      client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  }
  return received.sort();
}

rights('a stored message is not delivered if a new manifest has removed the grant of its topic', () =>
  withBroker(
    async broker => {
      const reader = await enter(broker, { clientId: 'reader', clean: false });
      await reader.subscribe('t/#', 1);
      await reader.leave();
      const sender = await enter(broker, { clientId: 'sender' });
      await publishAll(sender, ['t/one', 't/two', 't/one'], 1);
      await apply(broker, anonymous(['t/one']));
      await publishAll(sender, ['t/two', 't/one'], 1);
      const again = await broker.client();
      assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
      const received = [await again.next(), await again.next(), await again.next()].map(brief);
      assert.equal(received, ['t/one x q1', 't/one x q1', 't/one x q1']);
      assert.equal(await again.roundTrip(), []);
    },
    { manifest: anonymous(['t/#']) },
  ),
);

rights(
  'a stored message is checked against the grants before delivery, also after UNSUBSCRIBE of its filter',
  () =>
    withBroker(
      async broker => {
        const reader = await enter(broker, { clientId: 'reader', clean: false });
        await reader.subscribe('t/two', 1);
        const sender = await enter(broker, { clientId: 'sender' });
        // Both messages are stored, because the client acknowledges neither.
        await publishAll(sender, ['t/two', 't/two'], 1);
        reader.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['t/two'] });
        while (brief(await reader.next()) !== 'unsuback');
        await reader.leave();
        await apply(broker, anonymous(['t/one']));
        const again = await broker.client();
        await again.connect({ clientId: 'reader', clean: false });
        assert.equal(await again.roundTrip(), []);
      },
      { manifest: anonymous(['t/#']) },
    ),
);

for (const qos of [0, 1] as const) {
  rights(
    `a subscription at QoS ${qos} delivers only granted topics, and all topics after the grant is restored`,
    () =>
      withBroker(
        async broker => {
          const reader = await enter(broker, { clientId: 'reader' });
          await reader.subscribe('t/#', qos);
          await reader.subscribe('$share/g/t/+', qos);
          const sender = await enter(broker, { clientId: 'sender' });
          // The granted topic is last, so that its message is queued behind the other one.
          const topics = ['t/two', 't/one'];
          const expected = (...names: readonly string[]): string[] =>
            names.flatMap(name => [`t/${name} x q${qos}`, `t/${name} x q${qos}`]);
          await publishAll(sender, topics, qos);
          assert.equal(await receive(reader, 4), expected('one', 'two'));
          await apply(broker, anonymous(['t/one']));
          await publishAll(sender, topics, qos);
          assert.equal(await receive(reader, 2), expected('one'));
          await apply(broker, anonymous(['other']));
          await publishAll(sender, topics, qos);
          assert.equal(await reader.roundTrip(), []);
          await apply(broker, anonymous(['t/#']));
          await publishAll(sender, topics, qos);
          assert.equal(await receive(reader, 4), expected('one', 'two'));
        },
        { manifest: anonymous(['t/#']) },
      ),
  );
}

rights(
  'a denied topic delivers no live, retained or shared message and accepts no PUBLISH, despite any grant',
  () =>
    withBroker(
      async broker => {
        const sender = await enter(broker, { clientId: 'sender' }, 5);
        for (const [at, topic] of ['a/b', 'secret/x', 'secret'].entries())
          sender.send({ ...publishOf(topic, 'kept', 1, {}, true), messageId: at + 1 } as never);
        for (let count = 0; count < 3; count++) assert.is(brief(await sender.next()), 'puback');
        const reader = await enter(broker, { clientId: 'reader' });
        assert.is(brief(await reader.subscribe('secret/x', 0)), 'suback 128');
        assert.is(brief(await reader.subscribe('secret/#', 0)), 'suback 128');
        assert.is(brief(await reader.subscribe('#', 0)), 'suback 0');
        assert.equal(await reader.roundTrip(), ['a/b kept q0']);
        await reader.subscribe('$share/g/#', 1);
        await publishAll(sender, ['secret/y', 'secret', 'c'], 1);
        assert.equal(await receive(reader, 2), ['c x q0', 'c x q1']);
        sender.publish('locked/x', 'x', 1, 9);
        const refused = await sender.next();
        assert.is(refused !== 'closed' && refused.cmd === 'puback' && refused.reasonCode, 0x87);
      },
      { manifest: anonymous(['!secret/#', '#'], ['#', '!locked/#']) },
    ),
);

rights('the topic of a will is checked against the grants again when the will is published', () =>
  withBroker(
    async broker => {
      const reader = await enter(broker, { clientId: 'reader' });
      await reader.subscribe('#', 0);
      const clients: Client[] = [];
      for (const topic of ['will/lost', 'will/kept']) {
        const will = { topic, payload: Buffer.from('x'), qos: 0, retain: false } as const;
        clients.push(await enter(broker, { clientId: topic, will }));
      }
      await apply(broker, anonymous(['#'], ['#', '!will/lost']));
      for (const client of clients) client.socket.destroy();
      assert.is(brief(await reader.next()), 'will/kept x q0');
      assert.equal(await reader.roundTrip(), []);
      assert.ok(broker.log.some(line => line.includes('Discarded the will of client "will/lost"')));
    },
    { manifest: anonymous(['#']) },
  ),
);

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const password = await hashPassword(Buffer.from('secret'), random);
const EVERYTHING = { password, publish: ['#'], subscribe: ['#'] };

rights('a subscription with No Local receives messages of another user with the same client identifier', () =>
  withBroker(
    async broker => {
      const login = { clientId: 'same', password: Buffer.from('secret') };
      const alice = await enter(broker, { ...login, username: 'alice' }, 5);
      alice.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0, nl: true }] });
      assert.is(brief(await alice.next()), 'suback 0');
      const bob = await enter(broker, { ...login, username: 'bob' }, 5);
      for (let count = 0; count < 3; count++) bob.send(publishOf('t', 'bob', 1));
      for (let count = 0; count < 3; count++) {
        const answer = await bob.next();
        assert.is(answer !== 'closed' && answer.cmd === 'puback' && answer.reasonCode, 0);
      }
      alice.publish('t', 'alice', 0);
      assert.equal(await alice.roundTrip(), ['t bob q0', 't bob q0', 't bob q0']);
    },
    { manifest: { users: { alice: EVERYTHING, bob: EVERYTHING } } },
  ),
);

rights.run();
