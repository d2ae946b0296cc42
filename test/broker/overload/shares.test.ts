import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SESSION_SUBSCRIPTION_BYTES, MAX_SUBSCRIPTIONS } from '../../../src/broker/limits.ts';
import type { ShareReport } from '../../../src/core/capacity/shares.ts';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const password = await hashPassword(Buffer.from('secret'), random);
const ALL = { password, publish: ['#'], subscribe: ['#'] };
const MANIFEST = { users: { greedy: ALL, modest: ALL } };

type Options = { readonly clientId: string; readonly clean?: boolean };

async function enter(
  broker: BrokerHarness,
  username: string,
  options: Options,
  version: 4 | 5 = 4,
): Promise<Client> {
  const client = await broker.client(version);
  const properties = version === 5 ? { properties: { sessionExpiryInterval: 0xffff_ffff } } : {};
  const answer = await client.connect({
    username,
    password: Buffer.from('secret'),
    ...options,
    ...properties,
  });
  assert.match(brief(answer), /^connack 0/);
  return client;
}

function shareOf(broker: BrokerHarness, resource: ShareReport['resource']): ShareReport | undefined {
  return broker
    .hub()
    .status()
    .shares.find(one => one.resource === resource);
}

/** Returns filters of 128 levels that share only their first level. */
function deepFilters(first: string): string[] {
  const levels = Array.from({ length: 126 }, (_, n) => `l${n}`).join('/');
  return Array.from({ length: MAX_SUBSCRIPTIONS }, (_, n) => `${first}/${n}/${levels}`);
}

/** Subscribes at QoS 1. Resolves to the number of granted subscriptions. */
async function subscribe(client: Client, filters: readonly string[], refusal: number): Promise<number> {
  const subscriptions = filters.map(topic => ({ topic, qos: 1 as const }));
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  const answer = await client.next();
  const codes = answer !== 'closed' && answer.cmd === 'suback' ? answer.granted : [];
  assert.equal(
    codes.filter(code => code !== 1 && code !== refusal),
    [],
  );
  return codes.filter(code => code === 1).length;
}

const shares = suite('broker: shares of users');

shares('subscriptions beyond the share of one user are refused, and another user can subscribe', () =>
  withBroker(
    async broker => {
      for (let n = 0; n < 4; n++) {
        const client = await enter(
          broker,
          'greedy',
          { clientId: `g${n}`, clean: false },
          n % 2 === 0 ? 4 : 5,
        );
        const granted = await subscribe(client, deepFilters(`g${n}`), n % 2 === 0 ? 128 : 0x97);
        assert.is(granted === MAX_SUBSCRIPTIONS, n < 1, `session ${n} got ${granted}`);
        client.socket.destroy();
      }
      const held = shareOf(broker, 'subscriptionBytes');
      assert.ok(held !== undefined && held.held <= 4 << 20 && held.held > 3 << 20);
      assert.is(held.largest?.holder, 'user:greedy');
      assert.match(
        broker.log.join('\n'),
        /Refused .* bytes of subscriptions are in use, most of them .* by user "greedy"; user "greedy" may have/,
      );
      const modest = await enter(broker, 'modest', { clientId: 'm', clean: false });
      assert.ok((await subscribe(modest, deepFilters('m'), 128)) > MAX_SUBSCRIPTIONS / 2);
      const before = shareOf(broker, 'subscriptionBytes');
      await broker.restart();
      assert.equal(shareOf(broker, 'subscriptionBytes'), before);
    },
    { manifest: { ...MANIFEST, limits: { subscriptionBytes: '8M' } } },
  ),
);

shares(
  'one user may own at most half of the persistent sessions, so that another user can create sessions',
  () =>
    withBroker(
      async broker => {
        const open = async (user: string, clientId: string): Promise<string> => {
          const client = await broker.client();
          const secret = Buffer.from('secret');
          const answer = await client.connect({ username: user, password: secret, clientId, clean: false });
          client.socket.destroy();
          return brief(answer);
        };
        for (let restarts = 0; restarts < 2; restarts++) {
          for (let n = 0; n < 4; n++) assert.match(await open('greedy', `g${n}`), /^connack 0/);
          assert.is(await open('greedy', 'g4'), 'connack 3');
          await broker.restart();
        }
        for (let n = 0; n < 2; n++) assert.is(await open('modest', `m${n}`), 'connack 0');
        assert.is(await open('modest', 'm2'), 'connack 3');
        assert.match(
          broker.log.join('\n'),
          /4 of 8 persistent sessions are in use, most of them \(4\) by user "greedy"; user "greedy" may have 4 and has 4: see "skerry sessions"/,
        );
      },
      { manifest: { ...MANIFEST, limits: { sessions: 8 } } },
    ),
);

shares('a user with half of all connections can open another connection only after closing one', () =>
  withBroker(
    async broker => {
      const clients: Client[] = [];
      for (let n = 0; n < 4; n++)
        clients.push(await enter(broker, 'greedy', { clientId: `g${n}`, clean: true }));
      const refused = await broker.client(5);
      const greedy = { username: 'greedy', password: Buffer.from('secret') };
      assert.is(brief(await refused.connect({ ...greedy, clientId: 'g4' })), `connack ${0x97}`);
      await enter(broker, 'modest', { clientId: 'm' });
      // The same client identifier takes its session over.
      await enter(broker, 'greedy', { clientId: 'g0', clean: true });
      await clients[1]?.leave();
      await enter(broker, 'greedy', { clientId: 'g5', clean: true });
      await enter(broker, 'modest', { clientId: 'm2' });
      const other = await broker.client(5);
      const connack = await other.connect({ ...greedy, username: 'modest', clientId: 'm3' });
      const reason = connack !== 'closed' && connack.cmd === 'connack' && connack.properties?.reasonString;
      assert.is(reason, 'user "modest" may have 2 connections and has 2');
      assert.match(broker.log.join('\n'), /most of them \(4\) by user "greedy"; user "modest" may have 2/);
      assert.is(shareOf(broker, 'connections')?.held, 6);
    },
    { manifest: { ...MANIFEST, limits: { connections: 8 } } },
  ),
);

shares("queues of a user's offline sessions leave space in the store for upstream and other users", () =>
  withBroker(
    async broker => {
      const BODY = 'x'.repeat(50_000);
      for (const [user, ids] of [
        ['greedy', ['g0', 'g1', 'g2', 'g3']],
        ['modest', ['m']],
      ] as const) {
        for (const clientId of ids) {
          const reader = await enter(broker, user, { clientId, clean: false });
          await reader.subscribe(clientId, 1);
          await reader.leave();
        }
      }
      const sender = await enter(broker, 'modest', { clientId: 's', clean: true });
      const publish = async (topic: string, id: number): Promise<void> => {
        sender.publish(topic, BODY, 1, id);
        assert.is(brief(await sender.next()), 'puback');
      };
      for (let n = 0; n < 10; n++) await publish('m', n + 1);
      for (let n = 0; n < 200; n++) await publish(`g${n % 4}`, n + 1);
      for (let n = 0; n < 20; n++) await publish('up', n + 1);
      const { queues, store } = broker.hub().status();
      const depth = (name: string): number => queues.find(({ queue }) => queue === name)?.depth ?? 0;
      assert.equal([depth('session/user:modest:m'), depth('$upstream'), store.state], [10, 20, 'working']);
      const held = shareOf(broker, 'queueBytes');
      assert.ok(held !== undefined && held.held <= held.bound, JSON.stringify(held));
      assert.is(held.largest?.holder, 'user:greedy');
      await broker.restart();
      assert.equal(shareOf(broker, 'queueBytes')?.held, held.held);
      const own = await broker.client();
      await own.connect({ username: 'greedy', password: Buffer.from('secret'), clientId: 'g0', clean: true });
      assert.ok((shareOf(broker, 'queueBytes')?.held ?? 0) < held.held);
    },
    {
      manifest: {
        ...MANIFEST,
        storeAndForward: { maxSize: '8M' },
        routes: { up: 'FROM topic("up") INTO $upstream' },
        upstream: { url: 'mqtt://127.0.0.1:1' },
      },
    },
  ),
);

shares(
  'a connection whose will exceeds the share of its user is refused until other wills of the user are removed',
  () =>
    withBroker(
      async broker => {
        const secret = Buffer.from('secret');
        const will = { topic: 'w', payload: Buffer.alloc(60_000), qos: 0, retain: false } as const;
        const open = async (username: string, clientId: string): Promise<[Client, string]> => {
          const client = await broker.client(5);
          return [client, brief(await client.connect({ username, password: secret, clientId, will }))];
        };
        const clients: Client[] = [];
        for (let n = 0; ; n++) {
          const [client, answer] = await open('greedy', `g${n}`);
          if (answer === `connack ${0x97}`) break;
          assert.is(answer, 'connack 0');
          clients.push(client);
        }
        const { held, bound } = shareOf(broker, 'willBytes') ?? { held: 0, bound: 0 };
        assert.ok(held > bound / 2 - 61_000 && held <= bound / 2, `${held} of ${bound} bytes`);
        assert.is((await open('modest', 'm'))[1], 'connack 0');
        // A takeover of the session replaces its will.
        assert.is((await open('modest', 'm'))[1], 'connack 0');
        for (const client of clients) await client.leave();
        assert.ok((shareOf(broker, 'willBytes')?.held ?? 0) < 61_000);
        assert.is((await open('greedy', 'g'))[1], 'connack 0');
      },
      { manifest: { ...MANIFEST, storeAndForward: { maxSize: '8M' } } },
    ),
);

shares(
  'subscriptions count towards the share of their user only until UNSUBSCRIBE or the end of the session',
  () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({ clientId: 'c', clean: true });
      await client.subscribe('a/b', 1);
      await client.subscribe('a/b', 0);
      await client.subscribe('$share/g/a/c', 1);
      const { held = 0 } = shareOf(broker, 'subscriptionBytes') ?? {};
      assert.ok(held > 0);
      client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a/b', 'a/b', 'never'] });
      await client.next();
      assert.ok((shareOf(broker, 'subscriptionBytes')?.held ?? 0) < held);
      await client.leave();
      assert.equal(
        [shareOf(broker, 'subscriptionBytes')?.held, shareOf(broker, 'sessions')?.holders],
        [0, 0],
      );
    }),
);

shares('a subscription is refused if the filters of its session exceed their maximum total size', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({ clientId: 'c', clean: false });
    const filters = Array.from({ length: 40 }, (_, n) => `${n}/${'x'.repeat(60_000)}`);
    let granted = 0;
    for (const filter of filters) granted += await subscribe(client, [filter], 128);
    assert.is(granted, Math.floor(MAX_SESSION_SUBSCRIPTION_BYTES / (4 * 60_002 + 512)));
    assert.match(broker.log.join('\n'), /the subscriptions of a session may take/);
  }),
);

shares('all changes of a session during a write of this session are stored by one later write', () =>
  withBroker(async broker => {
    const COUNT = 500;
    const client = await broker.client();
    await client.connect({ clientId: 'c', clean: false });
    const { written } = broker.hub().status().counts.store;
    for (let n = 0; n < COUNT; n++)
      client.send({
        cmd: 'subscribe',
        messageId: n + 1,
        subscriptions: [{ topic: `${n}/${'x'.repeat(200)}`, qos: 1 }],
      });
    for (let n = 0; n < COUNT; n++) {
      const answer = await client.next();
      assert.is(answer !== 'closed' && answer.messageId, n + 1);
    }
    const cost = broker.hub().status().counts.store.written - written;
    // Separate writes would take 31 MB.
    assert.ok(cost < 4 << 20, `${cost} bytes were written`);
    client.socket.destroy();
    await broker.restart();
    assert.is(broker.hub().status().counts.broker.subscriptions, COUNT);
  }),
);

shares.run();
