import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  MAX_SESSION_SUBSCRIPTION_BYTES,
  MAX_SUBSCRIPTION_BYTES,
  MAX_SUBSCRIPTIONS,
} from '../../src/core/session-limits.ts';
import type { ShareReport } from '../../src/core/shares.ts';
import { hashPassword } from '../../src/crypto/passwords.ts';
import type { Client, Stage } from './stage.ts';
import { brief, onStage } from './stage.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const password = await hashPassword(Buffer.from('secret'), random);
const ALL = { password, publish: ['#'], subscribe: ['#'] };
const MANIFEST = { users: { greedy: ALL, modest: ALL } };

type Options = { readonly clientId: string; readonly clean?: boolean };

async function enter(stage: Stage, username: string, options: Options, version: 4 | 5 = 4): Promise<Client> {
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

function shareOf(stage: Stage, resource: ShareReport['resource']): ShareReport | undefined {
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
  onStage(
    async stage => {
      for (let n = 0; n < 12; n++) {
        const client = await enter(stage, 'greedy', { clientId: `g${n}`, clean: false }, n % 2 === 0 ? 4 : 5);
        const granted = await subscribe(client, deepFilters(`g${n}`), n % 2 === 0 ? 128 : 0x97);
        assert.is(granted === MAX_SUBSCRIPTIONS, n < 6, `session ${n} got ${granted}`);
        client.socket.destroy();
      }
      const held = shareOf(stage, 'subscriptionBytes');
      assert.ok(held !== undefined && held.held <= MAX_SUBSCRIPTION_BYTES / 2 && held.held > 12 << 20);
      assert.is(held.largest?.holder, 'user:greedy');
      assert.match(
        stage.log.join('\n'),
        /Refused "g11" .* bytes of subscriptions are in use, most of them .* by user "greedy"; user "greedy" may have/,
      );
      const modest = await enter(stage, 'modest', { clientId: 'm', clean: false });
      assert.is(await subscribe(modest, deepFilters('m'), 128), MAX_SUBSCRIPTIONS);
      const before = shareOf(stage, 'subscriptionBytes');
      await stage.restart();
      assert.equal(shareOf(stage, 'subscriptionBytes'), before);
    },
    { manifest: MANIFEST },
  ),
);

shares('a session gives back what its subscriptions took', () =>
  onStage(async stage => {
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
  onStage(async stage => {
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
  onStage(async stage => {
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
