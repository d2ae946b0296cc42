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

const rights = suite('broker: rights that change');

const AT_ONCE = { deployment: { healthyFor: '0s', within: '10s' } };

const anonymous = (subscribe: readonly string[], publish: readonly string[] = ['#']): object => ({
  ...AT_ONCE,
  anonymous: { publish, subscribe },
});

/** Applies another manifest to the hub, and waits until it holds. */
async function apply(stage: BrokerHarness, manifest: object): Promise<void> {
  const listeners = [{ mqtt: '127.0.0.1:0' }];
  const file = join(stage.folder, 'next.json');
  writeFileSync(file, JSON.stringify({ name: 'test', listeners, ...manifest }));
  const before = stage.log.length;
  const { id } = await ask(join(stage.folder, 'data'), 'apply', file);
  const holds = (line: string): boolean => line.includes(id.slice(0, 8)) && line.includes('is healthy');
  while (!stage.log.slice(before).some(holds)) await new Promise(resolve => setTimeout(resolve, 10));
}

async function enter(stage: BrokerHarness, options: ConnectOptions, version: 4 | 5 = 4): Promise<Client> {
  const client = await stage.client(version);
  assert.is(brief(await client.connect(options)), 'connack 0');
  return client;
}

/** Publishes on each topic, and waits for the acknowledgements or for as many pings. */
async function publishAll(client: Client, topics: readonly string[], qos: 0 | 1): Promise<void> {
  for (const [at, topic] of topics.entries()) {
    client.publish(topic, 'x', qos, at + 1);
    if (qos === 1) assert.is(brief(await client.next()), 'puback');
    else await client.roundTrip();
  }
}

/** Takes and acknowledges the next so many messages: in brief and sorted. */
async function take(client: Client, count: number): Promise<string[]> {
  const came: string[] = [];
  while (came.length < count) {
    const packet = await client.next();
    came.push(brief(packet));
    if (packet !== 'closed' && packet.cmd === 'publish' && packet.qos === 1)
      client.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  }
  return came.sort();
}

rights('a waiting message whose topic is not granted any more is not delivered, others are', () =>
  withBroker(
    async stage => {
      const reader = await enter(stage, { clientId: 'reader', clean: false });
      await reader.subscribe('t/#', 1);
      await reader.leave();
      const sender = await enter(stage, { clientId: 'sender' });
      await publishAll(sender, ['t/one', 't/two', 't/one'], 1);
      await apply(stage, anonymous(['t/one']));
      await publishAll(sender, ['t/two', 't/one'], 1);
      const again = await stage.client();
      assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
      const came = [await again.next(), await again.next(), await again.next()].map(brief);
      assert.equal(came, ['t/one x q1', 't/one x q1', 't/one x q1']);
      assert.equal(await again.roundTrip(), []);
    },
    { manifest: anonymous(['t/#']) },
  ),
);

rights('a waiting message is checked though its subscription is gone', () =>
  withBroker(
    async stage => {
      const reader = await enter(stage, { clientId: 'reader', clean: false });
      await reader.subscribe('t/two', 1);
      const sender = await enter(stage, { clientId: 'sender' });
      // Two wait: the client acknowledges neither.
      await publishAll(sender, ['t/two', 't/two'], 1);
      reader.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['t/two'] });
      while (brief(await reader.next()) !== 'unsuback');
      await reader.leave();
      await apply(stage, anonymous(['t/one']));
      const again = await stage.client();
      await again.connect({ clientId: 'reader', clean: false });
      assert.equal(await again.roundTrip(), []);
    },
    { manifest: anonymous(['t/#']) },
  ),
);

for (const qos of [0, 1] as const) {
  rights(`a live subscription keeps what is still granted, at QoS ${qos}, and gets all of it back`, () =>
    withBroker(
      async stage => {
        const reader = await enter(stage, { clientId: 'reader' });
        await reader.subscribe('t/#', qos);
        await reader.subscribe('$share/g/t/+', qos);
        const sender = await enter(stage, { clientId: 'sender' });
        // What is granted comes last, so that it comes behind what is not.
        const topics = ['t/two', 't/one'];
        const expected = (...names: readonly string[]): string[] =>
          names.flatMap(name => [`t/${name} x q${qos}`, `t/${name} x q${qos}`]);
        await publishAll(sender, topics, qos);
        assert.equal(await take(reader, 4), expected('one', 'two'));
        await apply(stage, anonymous(['t/one']));
        await publishAll(sender, topics, qos);
        assert.equal(await take(reader, 2), expected('one'));
        await apply(stage, anonymous(['other']));
        await publishAll(sender, topics, qos);
        assert.equal(await reader.roundTrip(), []);
        await apply(stage, anonymous(['t/#']));
        await publishAll(sender, topics, qos);
        assert.equal(await take(reader, 4), expected('one', 'two'));
      },
      { manifest: anonymous(['t/#']) },
    ),
  );
}

rights('a denial counts whatever else is granted: live, retained, shared and published', () =>
  withBroker(
    async stage => {
      const sender = await enter(stage, { clientId: 'sender' }, 5);
      for (const [at, topic] of ['a/b', 'secret/x', 'secret'].entries())
        sender.send({ ...publishOf(topic, 'kept', 1, {}, true), messageId: at + 1 } as never);
      for (let count = 0; count < 3; count++) assert.is(brief(await sender.next()), 'puback');
      const reader = await enter(stage, { clientId: 'reader' });
      assert.is(brief(await reader.subscribe('secret/x', 0)), 'suback 128');
      assert.is(brief(await reader.subscribe('secret/#', 0)), 'suback 128');
      assert.is(brief(await reader.subscribe('#', 0)), 'suback 0');
      assert.equal(await reader.roundTrip(), ['a/b kept q0']);
      await reader.subscribe('$share/g/#', 1);
      await publishAll(sender, ['secret/y', 'secret', 'c'], 1);
      assert.equal(await take(reader, 2), ['c x q0', 'c x q1']);
      sender.publish('locked/x', 'x', 1, 9);
      const refused = await sender.next();
      assert.is(refused !== 'closed' && refused.cmd === 'puback' && refused.reasonCode, 0x87);
    },
    { manifest: anonymous(['!secret/#', '#'], ['#', '!locked/#']) },
  ),
);

rights('a will is checked again when it is published', () =>
  withBroker(
    async stage => {
      const reader = await enter(stage, { clientId: 'reader' });
      await reader.subscribe('#', 0);
      const dying: Client[] = [];
      for (const topic of ['will/lost', 'will/kept']) {
        const will = { topic, payload: Buffer.from('x'), qos: 0, retain: false } as const;
        dying.push(await enter(stage, { clientId: topic, will }));
      }
      await apply(stage, anonymous(['#'], ['#', '!will/lost']));
      for (const client of dying) client.socket.destroy();
      assert.is(brief(await reader.next()), 'will/kept x q0');
      assert.equal(await reader.roundTrip(), []);
      assert.ok(stage.log.some(line => line.includes('The will of client "will/lost" is not published')));
    },
    { manifest: anonymous(['#']) },
  ),
);

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const password = await hashPassword(Buffer.from('secret'), random);
const EVERYTHING = { password, publish: ['#'], subscribe: ['#'] };

rights('No Local compares sessions: another user with the same client identifier is heard', () =>
  withBroker(
    async stage => {
      const login = { clientId: 'same', password: Buffer.from('secret') };
      const alice = await enter(stage, { ...login, username: 'alice' }, 5);
      alice.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0, nl: true }] });
      assert.is(brief(await alice.next()), 'suback 0');
      const bob = await enter(stage, { ...login, username: 'bob' }, 5);
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
