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
  stage: BrokerHarness,
  username: string,
  options: Options,
  version: 4 | 5 = 4,
): Promise<Client> {
  const client = await stage.client(version);
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

function shareOf(stage: BrokerHarness, resource: ShareReport['resource']): ShareReport | undefined {
  return stage
    .hub()
    .status()
    .shares.find(one => one.resource === resource);
}

/** Filters of 128 levels that have only the first in common with each other. */
function deepFilters(first: string): string[] {
  const levels = Array.from({ length: 126 }, (_, n) => `l${n}`).join('/');
  return Array.from({ length: MAX_SUBSCRIPTIONS }, (_, n) => `${first}/${n}/${levels}`);
}

/** Subscribes at QoS 1, and resolves to how many subscriptions were granted. */
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

const shares = suite('broker: shares');

shares('subscriptions of 128 levels in many sessions stop at the share of their user', () =>
  withBroker(
    async stage => {
      for (let n = 0; n < 4; n++) {
        const client = await enter(stage, 'greedy', { clientId: `g${n}`, clean: false }, n % 2 === 0 ? 4 : 5);
        const granted = await subscribe(client, deepFilters(`g${n}`), n % 2 === 0 ? 128 : 0x97);
        assert.is(granted === MAX_SUBSCRIPTIONS, n < 1, `session ${n} got ${granted}`);
        client.socket.destroy();
      }
      const held = shareOf(stage, 'subscriptionBytes');
      assert.ok(held !== undefined && held.held <= 4 << 20 && held.held > 3 << 20);
      assert.is(held.largest?.holder, 'user:greedy');
      assert.match(
        stage.log.join('\n'),
        /Refused .* bytes of subscriptions are in use, most of them .* by user "greedy"; user "greedy" may have/,
      );
      const modest = await enter(stage, 'modest', { clientId: 'm', clean: false });
      assert.ok((await subscribe(modest, deepFilters('m'), 128)) > MAX_SUBSCRIPTIONS / 2);
      const before = shareOf(stage, 'subscriptionBytes');
      await stage.restart();
      assert.equal(shareOf(stage, 'subscriptionBytes'), before);
    },
    { manifest: { ...MANIFEST, limits: { subscriptionBytes: '8M' } } },
  ),
);

shares('a user has half of the persistent sessions, and the next one still gets some, over a restart', () =>
  withBroker(
    async stage => {
      const open = async (user: string, clientId: string): Promise<string> => {
        const client = await stage.client();
        const secret = Buffer.from('secret');
        const answer = await client.connect({ username: user, password: secret, clientId, clean: false });
        client.socket.destroy();
        return brief(answer);
      };
      for (let restarts = 0; restarts < 2; restarts++) {
        for (let n = 0; n < 4; n++) assert.match(await open('greedy', `g${n}`), /^connack 0/);
        assert.is(await open('greedy', 'g4'), 'connack 3');
        await stage.restart();
      }
      for (let n = 0; n < 2; n++) assert.is(await open('modest', `m${n}`), 'connack 0');
      assert.is(await open('modest', 'm2'), 'connack 3');
      assert.match(
        stage.log.join('\n'),
        /4 of 8 persistent sessions are in use, most of them \(4\) by user "greedy"; user "greedy" may have 4 and has 4: see "skerry sessions"/,
      );
    },
    { manifest: { ...MANIFEST, limits: { sessions: 8 } } },
  ),
);

shares('a user has half of the connections, and gives one back when it leaves', () =>
  withBroker(
    async stage => {
      const clients: Client[] = [];
      for (let n = 0; n < 4; n++)
        clients.push(await enter(stage, 'greedy', { clientId: `g${n}`, clean: true }));
      const refused = await stage.client(5);
      const greedy = { username: 'greedy', password: Buffer.from('secret') };
      assert.is(brief(await refused.connect({ ...greedy, clientId: 'g4' })), `connack ${0x97}`);
      await enter(stage, 'modest', { clientId: 'm' });
      // It takes its own session over.
      await enter(stage, 'greedy', { clientId: 'g0', clean: true });
      await clients[1]?.leave();
      await enter(stage, 'greedy', { clientId: 'g5', clean: true });
      await enter(stage, 'modest', { clientId: 'm2' });
      const other = await stage.client(5);
      const connack = await other.connect({ ...greedy, username: 'modest', clientId: 'm3' });
      const told = connack !== 'closed' && connack.cmd === 'connack' && connack.properties?.reasonString;
      assert.is(told, 'user "modest" may have 2 connections and has 2');
      assert.match(stage.log.join('\n'), /most of them \(4\) by user "greedy"; user "modest" may have 2/);
      assert.is(shareOf(stage, 'connections')?.held, 6);
    },
    { manifest: { ...MANIFEST, limits: { connections: 8 } } },
  ),
);

shares('sessions that nobody reads leave room in the store for the upstream, and for other users', () =>
  withBroker(
    async stage => {
      const BODY = 'x'.repeat(50_000);
      for (const [user, ids] of [
        ['greedy', ['g0', 'g1', 'g2', 'g3']],
        ['modest', ['m']],
      ] as const) {
        for (const clientId of ids) {
          const reader = await enter(stage, user, { clientId, clean: false });
          await reader.subscribe(clientId, 1);
          await reader.leave();
        }
      }
      const sender = await enter(stage, 'modest', { clientId: 's', clean: true });
      const publish = async (topic: string, id: number): Promise<void> => {
        sender.publish(topic, BODY, 1, id);
        assert.is(brief(await sender.next()), 'puback');
      };
      for (let n = 0; n < 10; n++) await publish('m', n + 1);
      for (let n = 0; n < 200; n++) await publish(`g${n % 4}`, n + 1);
      for (let n = 0; n < 20; n++) await publish('up', n + 1);
      const { queues, store } = stage.hub().status();
      const depth = (name: string): number => queues.find(({ queue }) => queue === name)?.depth ?? 0;
      assert.equal([depth('session/user:modest:m'), depth('$upstream'), store.state], [10, 20, 'working']);
      const held = shareOf(stage, 'queueBytes');
      assert.ok(held !== undefined && held.held <= held.bound, JSON.stringify(held));
      assert.is(held.largest?.holder, 'user:greedy');
      await stage.restart();
      assert.equal(shareOf(stage, 'queueBytes')?.held, held.held);
      const own = await stage.client();
      await own.connect({ username: 'greedy', password: Buffer.from('secret'), clientId: 'g0', clean: true });
      assert.ok((shareOf(stage, 'queueBytes')?.held ?? 0) < held.held);
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

shares('large wills of one user stop at its share, and one that is gone makes room', () =>
  withBroker(
    async stage => {
      const secret = Buffer.from('secret');
      const will = { topic: 'w', payload: Buffer.alloc(60_000), qos: 0, retain: false } as const;
      const open = async (username: string, clientId: string): Promise<[Client, string]> => {
        const client = await stage.client(5);
        return [client, brief(await client.connect({ username, password: secret, clientId, will }))];
      };
      const clients: Client[] = [];
      for (let n = 0; ; n++) {
        const [client, answer] = await open('greedy', `g${n}`);
        if (answer === `connack ${0x97}`) break;
        assert.is(answer, 'connack 0');
        clients.push(client);
      }
      const { held, bound } = shareOf(stage, 'willBytes') ?? { held: 0, bound: 0 };
      assert.ok(held > bound / 2 - 61_000 && held <= bound / 2, `${held} of ${bound} bytes`);
      assert.is((await open('modest', 'm'))[1], 'connack 0');
      // A session that is taken over has its will replaced.
      assert.is((await open('modest', 'm'))[1], 'connack 0');
      for (const client of clients) await client.leave();
      assert.ok((shareOf(stage, 'willBytes')?.held ?? 0) < 61_000);
      assert.is((await open('greedy', 'g'))[1], 'connack 0');
    },
    { manifest: { ...MANIFEST, storeAndForward: { maxSize: '8M' } } },
  ),
);

shares('a session gives back what its subscriptions took', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({ clientId: 'c', clean: true });
    await client.subscribe('a/b', 1);
    await client.subscribe('a/b', 0);
    await client.subscribe('$share/g/a/c', 1);
    const { held = 0 } = shareOf(stage, 'subscriptionBytes') ?? {};
    assert.ok(held > 0);
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a/b', 'a/b', 'never'] });
    await client.next();
    assert.ok((shareOf(stage, 'subscriptionBytes')?.held ?? 0) < held);
    await client.leave();
    assert.equal([shareOf(stage, 'subscriptionBytes')?.held, shareOf(stage, 'sessions')?.holders], [0, 0]);
  }),
);

shares('the filters of one session are bounded: each change of them writes all', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({ clientId: 'c', clean: false });
    const filters = Array.from({ length: 40 }, (_, n) => `${n}/${'x'.repeat(60_000)}`);
    let granted = 0;
    for (const filter of filters) granted += await subscribe(client, [filter], 128);
    assert.is(granted, Math.floor(MAX_SESSION_SUBSCRIPTION_BYTES / (4 * 60_002 + 512)));
    assert.match(stage.log.join('\n'), /the subscriptions of a session may take/);
  }),
);

shares('changes of a session that come while it is written are written together', () =>
  withBroker(async stage => {
    const COUNT = 500;
    const client = await stage.client();
    await client.connect({ clientId: 'c', clean: false });
    const { written } = stage.hub().status().counts.store;
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
    const cost = stage.hub().status().counts.store.written - written;
    // Each by itself would write 31 MB.
    assert.ok(cost < 4 << 20, `${cost} bytes were written`);
    client.socket.destroy();
    await stage.restart();
    assert.is(stage.hub().status().counts.broker.subscriptions, COUNT);
  }),
);

shares.run();
