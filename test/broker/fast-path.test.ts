import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brief, withBroker } from '../harness/broker.ts';

type Sent = { readonly topic: string; readonly text: string; readonly qos: 0 | 1; readonly retain: boolean };

const sent: fc.Arbitrary<Sent> = fc.record({
  topic: fc.constantFrom('a/x', 'a/x', 'a/x', 'a/y', 'a', 'b', 'a/ü'),
  text: fc.oneof(fc.string({ maxLength: 20 }), fc.constant('long'.repeat(5_000))),
  qos: fc.constantFrom<0 | 1>(0, 0, 0, 1),
  retain: fc.constantFrom(false, false, false, true),
});

function publish({ topic, text, qos, retain }: Sent): Buffer {
  const payload = Buffer.from(text);
  return generate({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: 1 });
}

function arrival({ topic, text }: Sent): string {
  return `${topic} ${text} q0`;
}

const fastPath = suite('broker: fast path');

fastPath('[MQTT-4.6.0-6] messages arrive once and in order, however TCP splits their bytes', () =>
  withBroker(async broker => {
    const [all, some, sender] = [await broker.client(), await broker.client(), await broker.client()];
    await all.connect({ clientId: 'all' });
    await all.subscribe('#', 0);
    await some.connect({ clientId: 'some' });
    await some.subscribe('a/+', 0);
    await sender.connect({ clientId: 'sender' });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (list, cuts) => {
          const bytes = Buffer.concat(list.map(publish));
          const places = [
            0,
            ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          for (const [index, end] of places.entries()) {
            sender.write(bytes.subarray(places[index - 1] ?? 0, end));
            if (index % 2 === 1) await new Promise(resolve => setImmediate(resolve));
          }
          await sender.roundTrip();
          assert.equal(await all.roundTrip(), list.map(arrival));
          assert.equal(
            await some.roundTrip(),
            list.filter(({ topic }) => topic.startsWith('a/')).map(arrival),
          );
        },
      ),
      { numRuns: 60 },
    );
  }),
);

fastPath('SUBSCRIBE and UNSUBSCRIBE between PUBLISHes of one TCP segment affect only later PUBLISHes', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    const packet = (what: Packet): Buffer => generate(what);
    const message = (text: string): Buffer => publish({ topic: 't', text, qos: 0, retain: false });
    client.write(
      Buffer.concat([
        ...['1', '2', '3'].map(message),
        packet({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }] }),
        ...['4', '5', '6'].map(message),
        packet({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['t'] }),
        ...['7', '8'].map(message),
      ]),
    );
    const received = (await client.roundTrip()).filter(text => text.startsWith('t '));
    assert.equal(received, ['t 4 q0', 't 5 q0', 't 6 q0']);
  }),
);

fastPath('a message published after the disconnect of a subscriber reaches all other subscribers', () =>
  withBroker(async broker => {
    const [stays, leaves, sender] = [await broker.client(), await broker.client(), await broker.client()];
    for (const [clientId, client] of Object.entries({ stays, leaves, sender }))
      await client.connect({ clientId });
    await stays.subscribe('t', 0);
    await leaves.subscribe('t', 0);
    for (const text of ['1', '2']) sender.publish('t', text, 0);
    await sender.roundTrip();
    assert.equal(await leaves.roundTrip(), ['t 1 q0', 't 2 q0']);
    await leaves.leave();
    for (const text of ['3', '4']) sender.publish('t', text, 0);
    await sender.roundTrip();
    assert.equal(await stays.roundTrip(), ['t 1 q0', 't 2 q0', 't 3 q0', 't 4 q0']);
  }),
);

fastPath('a message on a topic that a route matches is routed and counted by the fast path', () =>
  withBroker(
    async broker => {
      const sender = await broker.client();
      await sender.connect({});
      for (const text of ['1', '2', '3']) sender.publish('routed', text, 0);
      for (const text of ['1', '2', '3', '4']) sender.publish('plain', text, 0);
      await sender.roundTrip();
      const { routes, counts } = broker.hub().status();
      assert.is(routes[0]?.matched, 3);
      assert.equal([counts.router.routed, counts.router.untaken], [7, 4]);
    },
    {
      manifest: {
        routes: { all: 'FROM topic("routed") INTO $upstream' },
        upstream: { url: 'mqtt://127.0.0.1:1' },
      },
    },
  ),
);

fastPath(
  'a PUBLISH whose topic length exceeds the packet is refused after all earlier messages are delivered',
  () =>
    withBroker(async broker => {
      const [reader, sender] = [await broker.client(), await broker.client()];
      await reader.connect({ clientId: 'reader' });
      await reader.subscribe('#', 0);
      await sender.connect({ clientId: 'sender' });
      const valid = publish({ topic: 't', text: 'x', qos: 0, retain: false });
      sender.write(Buffer.concat([valid, valid, valid, Buffer.from([0x30, 3, 0, 9, 0x74])]));
      assert.is(brief(await sender.next()), 'closed');
      assert.equal(await reader.roundTrip(), ['t x q0', 't x q0', 't x q0']);
    }),
);

fastPath.run();
