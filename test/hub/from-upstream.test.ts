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
import { createStoreHarness, type StoreHarness, texts } from '../harness/queue.ts';
import { memoryUnder } from './memory-keeper.ts';

const RANDOM = { fraction: () => 0.5, bytes: (count: number) => Buffer.alloc(count, 7) };
const LOG = { info: () => {}, warn: () => {}, error: () => {} };
const VALVE = { valve: { exec: ['x'], io: 'lines' } };
const UPSTREAM = { url: 'mqtt://parent.invalid' };

type UpstreamTest = {
  readonly store: StoreHarness;
  readonly router: Router;
  /** Messages that a subscriber of all topics receives, as `topic body`. */
  readonly received: string[];
  readonly client: MqttClient;
  /** Routes a message from upstream. Returns the number of receivers and the arguments of its callback. */
  readonly down: (topic: string, text: string, more?: Partial<Message>) => RoutedMessage;
};
type RoutedMessage = { readonly taken: number; readonly settled: (Error | undefined)[] };

/** Runs `scenario` with a router, a real store, broker and client, and without a connected upstream. */
async function withRoutes(
  routes: Readonly<Record<string, string>>,
  scenario: (test: UpstreamTest) => Promise<void>,
  { maxSize = 1 << 30 } = {},
): Promise<void> {
  const text = JSON.stringify({ name: 'edge', modules: VALVE, upstream: UPSTREAM, routes });
  const manifest = parseManifest(text, 'm.json');
  const routing = routingOf(manifest);
  assert.equal(routing.status().refusedRoutes, []);
  const store = await createStoreHarness({ maxSize });
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
  const received: string[] = [];
  client.on('message', (topic, body) => received.push(`${topic} ${body}`));
  await client.subscribeAsync('#', { qos: 1 });
  try {
    await scenario({
      store,
      router,
      received,
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

/** Waits until all messages published before have been delivered. */
async function deliverAll({ client, received }: UpstreamTest): Promise<void> {
  await client.publishAsync('last', 'word', { qos: 0 });
  while (!received.includes('last word')) await new Promise(resolve => setImmediate(resolve));
}

const INTO_VALVE = 'INTO BrokeredEndpoint("/modules/valve/inputs/in")';

const fromUpstream = suite('hub: messages from upstream');

fromUpstream(
  'a message from upstream is acknowledged when it is durable in the queues of all its routes',
  async () => {
    const routes = {
      valve: `FROM $upstream("commands/+") WHERE $body.open ${INTO_VALVE}`,
      local: 'FROM $upstream INTO topic("local/command")',
    };
    await withRoutes(routes, async test => {
      const properties = ['$to', 'valve', 'level', '5'];
      const one = test.down('commands/a', '{"open":true}', { properties, contentType: 'application/json' });
      const two = test.down('commands/b', '{"open":false}', { contentType: 'application/json' });
      const other = test.down('settings/a', '{"open":true}');
      await deliverAll(test);
      assert.equal([one.taken, two.taken, other.taken], [2, 1, 1]);
      assert.equal([one.settled, two.settled, other.settled], [[], [undefined], [undefined]]);
      await test.store.commit();
      assert.equal(one.settled, [undefined]);
      await test.store.restart();
      const [entry, ...more] = test.store.peek('input/valve/in');
      assert.is(more.length, 0);
      assert.equal(entry?.message.origin, { kind: 'upstream', upstream: 'upstream' });
      assert.equal(entry?.message.topic, 'commands/a');
      assert.equal(entry?.message.properties, properties);
      assert.equal(test.received, [
        'local/command {"open":true}',
        'local/command {"open":false}',
        'local/command {"open":true}',
        'last word',
      ]);
    });
  },
);

fromUpstream(
  'a message from upstream reaches no subscriber and no route whose source is local messages',
  async () => {
    const routes = {
      all: 'FROM /* INTO $upstream',
      messages: `FROM /messages/* ${INTO_VALVE}`,
      topics: 'FROM topic("#") INTO topic("echo")',
    };
    await withRoutes(routes, async test => {
      const { taken, settled } = test.down('commands/a', 'x');
      assert.equal([taken, settled], [0, [undefined]], 'acknowledged, because no route matches');
      await deliverAll(test);
      await test.store.commit();
      assert.equal(test.router.counts(), { routed: 2, untaken: 1 });
      assert.equal(test.received, ['last word', 'echo word']);
      assert.equal(texts(test.store.peek('$upstream')), ['word']);
      assert.equal(texts(test.store.peek('input/valve/in')), ['word']);
    });
  },
);

fromUpstream(
  'a message from upstream that a route publishes is stored for offline sessions before PUBACK is sent',
  async () => {
    await withRoutes({ local: 'FROM $upstream INTO topic("local/a")' }, async test => {
      const url = `mqtt://127.0.0.1:${test.client.options.port}`;
      const options = { clientId: 'sleeper', clean: false, protocolVersion: 5 } as const;
      const sleeper = await connectAsync(url, { ...options, properties: { sessionExpiryInterval: 3600 } });
      await test.store.clock.until(sleeper.subscribeAsync('local/#', { qos: 1 }));
      await sleeper.endAsync();
      const { settled } = test.down('commands/a', 'kept');
      assert.equal(settled, []);
      await test.store.commit();
      assert.equal(settled, [undefined]);
      const [queue = '', ...more] = test.store.store.stats().map(one => one.queue);
      assert.equal([more, texts(test.store.peek(queue))], [[], ['kept']]);
    });
  },
);

fromUpstream('a message from upstream is not acknowledged if the store is full', async () => {
  await withRoutes(
    { valve: `FROM $upstream ${INTO_VALVE}` },
    async test => {
      const all: RoutedMessage[] = [];
      for (let n = 0; n < 80; n++) {
        all.push(test.down('commands/a', 'x'.repeat(50_000)));
        await test.store.commit();
      }
      const kept = all.filter(({ settled }) => settled.length === 1 && settled[0] === undefined);
      const refused = all.filter(({ settled }) => settled.length === 1 && settled[0] !== undefined);
      assert.is(kept.length + refused.length, all.length);
      assert.ok(kept.length > 0 && refused.length > 0, `${kept.length} kept, ${refused.length} refused`);
      assert.is(test.store.peek('input/valve/in').length, kept.length);
    },
    { maxSize: 2 << 20 },
  );
});

fromUpstream('a manifest with a route FROM $upstream and without an upstream is refused', () => {
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

fromUpstream.run();
