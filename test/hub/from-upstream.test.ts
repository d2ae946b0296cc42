import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAccessControl } from '../../src/auth/access-control.ts';
import { createResources, DEFAULT_BOUNDS } from '../../src/core/capacity/resources.ts';
import type { Message } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';
import { wireBroker } from '../../src/hub/broker-wiring.ts';
import { routingOf } from '../../src/hub/routing/compiled-routes.ts';
import { planRoutes } from '../../src/hub/routing/route-plan.ts';
import type { Router } from '../../src/hub/routing/router.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import {
  createStoreHarness as createStoreStage,
  type StoreHarness as StoreStage,
  texts,
} from '../harness/queue.ts';
import { memoryUnder } from './memory-keeper.ts';

const RANDOM = { fraction: () => 0.5, bytes: (count: number) => Buffer.alloc(count, 7) };
const LOG = { info: () => {}, warn: () => {}, error: () => {} };
const VALVE = { valve: { exec: ['x'], io: 'lines' } };
const UPSTREAM = { url: 'mqtt://parent.invalid' };

type Stage = {
  readonly store: StoreStage;
  readonly router: Router;
  /** Everything that a client which subscribes to all hears, as `topic body`. */
  readonly heard: string[];
  readonly client: MqttClient;
  /** Routes a message as one that came down: how many take it, and what its settle was called with. */
  readonly down: (topic: string, text: string, more?: Partial<Message>) => Down;
};
type Down = { readonly taken: number; readonly settled: (Error | undefined)[] };

/** The way of messages through a hub with these routes: a real store, broker and client, no upstream. */
async function onStage(
  routes: Readonly<Record<string, string>>,
  play: (stage: Stage) => Promise<void>,
  { maxSize = 1 << 30 } = {},
): Promise<void> {
  const text = JSON.stringify({ name: 'edge', modules: VALVE, upstream: UPSTREAM, routes });
  const manifest = parseManifest(text, 'm.json');
  const routing = routingOf(manifest);
  assert.equal(routing.status().refusedRoutes, []);
  const store = await createStoreStage({ maxSize });
  const { clock } = store;
  const { broker, router } = wireBroker({
    clock,
    random: RANDOM,
    memory: memoryUnder(clock, LOG),
    log: LOG,
    store: store.store,
    access: createAccessControl(manifest, { clock, random: RANDOM, log: LOG }),
    resources: createResources(() => DEFAULT_BOUNDS),
    limits: () => ({ packetSize: 1 << 20, keepAlive: undefined, connections: 100, retained: true }),
    inputs: () => routing.inputs,
    health: () => {},
    readings: () => new Map(),
  });
  router.use('edge', routing.dispatcher);
  const { address } = await broker.listen({ kind: 'mqtt', host: '127.0.0.1', port: 0 });
  const client = await connectAsync(`mqtt://${address}`, { protocolVersion: 5 });
  const heard: string[] = [];
  client.on('message', (topic, body) => heard.push(`${topic} ${body}`));
  await client.subscribeAsync('#', { qos: 1 });
  try {
    await play({
      store,
      router,
      heard,
      client,
      down: (topic, body, more = {}) => {
        const settled: (Error | undefined)[] = [];
        const message: Message = {
          ...PLAIN,
          topic,
          body: Buffer.from(body),
          qos: 1,
          origin: { kind: 'upstream', upstream: 'upstream' },
          ...more,
        };
        return { taken: router.route(message, error => settled.push(error)), settled };
      },
    });
  } finally {
    client.end(true);
    await broker.close();
    await store.finish();
  }
}

/** Waits until everything published before has been delivered. */
async function catchUp({ client, heard }: Stage): Promise<void> {
  await client.publishAsync('last', 'word', { qos: 0 });
  while (!heard.includes('last word')) await new Promise(resolve => setImmediate(resolve));
}

const INTO_VALVE = 'INTO BrokeredEndpoint("/modules/valve/inputs/in")';

const coming = suite('hub: what comes from upstream');

coming('it goes where its routes send it, and is acknowledged when it is durable there', async () => {
  const routes = {
    valve: `FROM $upstream("commands/+") WHERE $body.open ${INTO_VALVE}`,
    local: 'FROM $upstream INTO topic("local/command")',
  };
  await onStage(routes, async stage => {
    const properties = ['$to', 'valve', 'level', '5'];
    const one = stage.down('commands/a', '{"open":true}', { properties, contentType: 'application/json' });
    const two = stage.down('commands/b', '{"open":false}', { contentType: 'application/json' });
    const other = stage.down('settings/a', '{"open":true}');
    await catchUp(stage);
    assert.equal([one.taken, two.taken, other.taken], [2, 1, 1]);
    assert.equal([one.settled, two.settled, other.settled], [[], [undefined], [undefined]]);
    await stage.store.commit();
    assert.equal(one.settled, [undefined]);
    await stage.store.restart();
    const [entry, ...more] = stage.store.peek('input/valve/in');
    assert.is(more.length, 0);
    assert.equal(entry?.message.origin, { kind: 'upstream', upstream: 'upstream' });
    assert.equal(entry?.message.topic, 'commands/a');
    assert.equal(entry?.message.properties, properties);
    assert.equal(stage.heard, [
      'local/command {"open":true}',
      'local/command {"open":false}',
      'local/command {"open":true}',
      'last word',
    ]);
  });
});

coming('no subscriber hears it, and no route of what begins here takes it', async () => {
  const routes = {
    all: 'FROM /* INTO $upstream',
    messages: `FROM /messages/* ${INTO_VALVE}`,
    topics: 'FROM topic("#") INTO topic("echo")',
  };
  await onStage(routes, async stage => {
    const { taken, settled } = stage.down('commands/a', 'x');
    assert.equal([taken, settled], [0, [undefined]], 'acknowledged, for nobody wants it');
    await catchUp(stage);
    await stage.store.commit();
    assert.equal(stage.router.counts(), { routed: 2, untaken: 1 });
    assert.equal(stage.heard, ['last word', 'echo word']);
    assert.equal(texts(stage.store.peek('$upstream')), ['word']);
    assert.equal(texts(stage.store.peek('input/valve/in')), ['word']);
  });
});

coming(
  'what a route puts on a topic is owed to who keeps a session there, before it is acknowledged',
  async () => {
    await onStage({ local: 'FROM $upstream INTO topic("local/a")' }, async stage => {
      const url = `mqtt://127.0.0.1:${stage.client.options.port}`;
      const options = { clientId: 'sleeper', clean: false, protocolVersion: 5 } as const;
      const sleeper = await connectAsync(url, { ...options, properties: { sessionExpiryInterval: 3600 } });
      await stage.store.clock.until(sleeper.subscribeAsync('local/#', { qos: 1 }));
      await sleeper.endAsync();
      const { settled } = stage.down('commands/a', 'kept');
      assert.equal(settled, []);
      await stage.store.commit();
      assert.equal(settled, [undefined]);
      const [queue = '', ...more] = stage.store.store.stats().map(one => one.queue);
      assert.equal([more, texts(stage.store.peek(queue))], [[], ['kept']]);
    });
  },
);

coming('a store that is full says so to the upstream: nothing is acknowledged', async () => {
  await onStage(
    { valve: `FROM $upstream ${INTO_VALVE}` },
    async stage => {
      const all: Down[] = [];
      for (let n = 0; n < 80; n++) {
        all.push(stage.down('commands/a', 'x'.repeat(50_000)));
        await stage.store.commit();
      }
      const kept = all.filter(({ settled }) => settled.length === 1 && settled[0] === undefined);
      const refused = all.filter(({ settled }) => settled.length === 1 && settled[0] !== undefined);
      assert.is(kept.length + refused.length, all.length);
      assert.ok(kept.length > 0 && refused.length > 0, `${kept.length} kept, ${refused.length} refused`);
      assert.is(stage.store.peek('input/valve/in').length, kept.length);
    },
    { maxSize: 2 << 20 },
  );
});

coming('a route FROM $upstream wants an upstream, and says so', () => {
  const routes = { r: `FROM $upstream ${INTO_VALVE}`, s: 'FROM $upstream INTO topic("t")' };
  const manifest = parseManifest(JSON.stringify({ name: 'edge', modules: VALVE, routes }), 'm.json');
  const { routes: planned, refused } = planRoutes(manifest);
  assert.is(planned.length, 0);
  assert.equal(
    refused.map(({ name, reason }) => `${name}: ${reason}`),
    ['r', 's'].map(
      name =>
        `${name}: routes.${name} comes FROM $upstream, but the manifest has no "upstream": add its url.`,
    ),
  );
});

coming.run();
