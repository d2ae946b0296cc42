import { connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_HOPS } from '../../src/core/limits.ts';
import { freePort, until } from '../harness/binary.ts';
import { withBroker } from '../harness/broker.ts';

const loop = suite('upstream: loops of hubs');

function manifestOf(name: string, port: number, other: number): object {
  return {
    name,
    listeners: [{ mqtt: `127.0.0.1:${port}` }],
    routes: { up: 'FROM topic("x/#") INTO $upstream' },
    upstream: { url: `mqtt://127.0.0.1:${other}`, profile: 'mqtt', topic: '{topic}' },
  };
}

loop('a message in a loop of two hubs becomes a dead letter after the maximum number of hops', async () => {
  const [here, there] = [await freePort(), await freePort()];
  await withBroker(
    harness =>
      withBroker(
        async other => {
          const hubs = [harness, other];
          const connected = (): boolean =>
            hubs.every(({ hub }) => hub().status().upstreams[0]?.state === 'connected');
          await until('both are connected', connected);
          const client = await connectAsync(`mqtt://127.0.0.1:${here}`, { protocolVersion: 5 });
          const seen: unknown[] = [];
          client.on('message', (_topic, _body, { properties }) => seen.push(properties?.userProperties));
          await client.subscribeAsync('x/#', { qos: 1 });
          await client.publishAsync('x/1', 'round', { qos: 1, properties: { userProperties: { k: 'v' } } });
          const letters = (): number => hubs.reduce((sum, { hub }) => sum + hub().status().store.letters, 0);
          await until('it is a dead letter', () => letters() === 1);
          await client.endAsync();
          assert.is(seen.length, 1 + MAX_HOPS / 2);
          assert.equal({ ...Object(seen.at(-1)) }, { k: 'v', $hops: String(MAX_HOPS) });
          const log = hubs.flatMap(({ log }) => log).join();
          assert.match(
            log,
            /warn upstream: A message was not forwarded to the upstream: it has passed through too many hubs, probably in a loop\./,
          );
          assert.is(
            hubs.reduce((sum, { hub }) => sum + (hub().status().upstreams[0]?.refused ?? 0), 0),
            1,
          );
          const waiting = (): number =>
            hubs.reduce((sum, { hub }) => sum + (hub().status().upstreams[0]?.backlog ?? 0), 0);
          await until('nothing is on its way', () => waiting() === 0);
        },
        { manifest: manifestOf('other', there, here) },
      ),
    { manifest: manifestOf('one', here, there) },
  );
});

loop(
  'a message in a loop over two upstreams is not forwarded beyond the maximum number of hops',
  async () => {
    const [here, parent] = [await freePort(), await freePort()];
    const way = { url: `mqtt://127.0.0.1:${parent}`, topic: '{topic}' };
    const manifest = {
      name: 'one',
      listeners: [{ mqtt: `127.0.0.1:${here}` }],
      routes: { up: 'FROM topic("x/#") INTO $upstream/b', round: 'FROM $upstream/a INTO $upstream/b' },
      upstreams: { a: { ...way, down: ['x/#'] }, b: way },
    };
    await withBroker(
      async ({ hub: above }) =>
        withBroker(
          async ({ hub }) => {
            const subscribed = (): boolean => above().status().counts.broker.subscriptions === 1;
            await until('the parent is subscribed to', subscribed);
            const client = await connectAsync(`mqtt://127.0.0.1:${here}`, { protocolVersion: 5 });
            await client.publishAsync('x/1', 'round', { qos: 1 });
            await until('it is a dead letter', () => hub().status().store.letters === 1);
            await client.endAsync();
            const counts = (): string =>
              hub()
                .status()
                .upstreams.map(({ delivered, refused }) => `${delivered} ${refused}`)
                .join();
            await until('all before it are acknowledged', () => counts() === `0 0,${MAX_HOPS} 1`);
          },
          { manifest },
        ),
      { manifest: { name: 'parent', listeners: [{ mqtt: `127.0.0.1:${parent}` }] } },
    );
  },
);

loop.run();
