import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_PENDING_PUBLISHES, MAX_SUBSCRIPTIONS } from '../../../src/broker/limits.ts';
import { COMMIT_WINDOW_MS } from '../../../src/manifest/limits.ts';
import { until } from '../../harness/binary.ts';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';
import { stallDisk } from './stalled-disk.ts';

const BODY = 'x'.repeat(1000);

/** Creates a persistent session that is subscribed to `kept` and offline. */
async function createOfflineReader(broker: BrokerHarness): Promise<void> {
  const reader = await broker.client();
  await reader.connect({ clientId: 'reader', clean: false });
  await reader.subscribe('kept', 1);
  await reader.leave();
}

/** Publishes `count` messages that must be stored, with packet identifiers from 1. */
async function publisherOf(broker: BrokerHarness, count: number, keepalive: number): Promise<Client> {
  const publisher = await broker.client();
  await publisher.connect({ clientId: 'publisher', keepalive });
  for (let id = 1; id <= count; id++) publisher.publish('kept', BODY, 1, id);
  return publisher;
}

function received(broker: BrokerHarness): number {
  return broker.hub().status().counts.broker.received;
}

const bounds = suite('broker: back-pressure and floods');

bounds(
  'a stalled disk pauses only the publishers whose messages must be stored, until the disk works again',
  () =>
    withBroker(async broker => {
      const COUNT = 6000;
      await createOfflineReader(broker);
      const resumeDisk = await stallDisk(join(broker.folder, 'data'));
      const publisher = await publisherOf(broker, COUNT, 0);
      const other = await broker.client();
      await other.connect({ clientId: 'other' });
      const unacknowledged = (): number => received(broker) - publisher.waiting();
      let commits = 0;
      let idlePolls = 0;
      // Both journals are full. Without the lock, a commit would happen within its window.
      await until('commits have stopped', () => {
        const { store } = broker.hub().status().counts;
        idlePolls = store.commits === commits && unacknowledged() > 0 ? idlePolls + 1 : 0;
        commits = store.commits;
        return idlePolls === 10;
      });
      const acknowledged = publisher.waiting();
      for (let n = 0; n < 50; n++) assert.equal(await other.roundTrip(), []);
      assert.is(publisher.waiting(), acknowledged);
      assert.ok(unacknowledged() <= MAX_PENDING_PUBLISHES, `${unacknowledged()} were accepted`);
      await resumeDisk();
      for (let id = 1; id <= COUNT; id++) {
        const packet = await publisher.next();
        assert.is(packet !== 'closed' && packet.messageId, id);
      }
    }),
);

bounds(
  'a publisher whose socket the hub has paused is not disconnected by the keep-alive timeout',
  async () => {
    const COUNT = 3000;
    const clock = createTestClock();
    await withBroker(
      async broker => {
        const reader = await broker.client();
        await reader.connect({ clientId: 'reader', clean: false });
        reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'kept', qos: 1 }] });
        assert.equal(await reader.roundTrip(), []);
        clock.advance(COMMIT_WINDOW_MS);
        assert.is(brief(await reader.next()), 'suback 1');
        await reader.leave();
        const publisher = await publisherOf(broker, COUNT, 60);
        await until('the publisher is paused', () => received(broker) === MAX_PENDING_PUBLISHES);
        clock.advance(10 * 60_000);
        await until('all messages are acknowledged', () => {
          clock.advance(COMMIT_WINDOW_MS);
          return publisher.waiting() === COUNT;
        });
      },
      { clock },
    );
  },
);

bounds('clients that repeatedly send invalid bytes and reconnect do not affect other clients', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({ clientId: 'client' });
    const rubbish = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) {
        const invalid = await broker.client();
        if (n % 2 === 0) await invalid.connect({ clientId: 'invalid', clean: false });
        invalid.write(Buffer.alloc(1000, n));
        invalid.socket.end();
        while ((await invalid.next()) !== 'closed');
      }
    };
    const flood = Promise.all([rubbish(), rubbish(), rubbish(), rubbish()]);
    for (let id = 1; id <= 500; id++) {
      client.publish('a', 'x', 1, id);
      const answer = await client.next();
      assert.is(answer !== 'closed' && answer.messageId, id);
    }
    await flood;
    await until(
      'the other clients are disconnected',
      () => broker.hub().status().counts.broker.connections === 1,
    );
  }),
);

bounds('a flood of QoS 0 messages does not block other clients', () =>
  withBroker(async broker => {
    const COUNT = 50_000;
    const client = await broker.client();
    await client.connect({ clientId: 'client' });
    const flood = await broker.client();
    await flood.connect({ clientId: 'flood' });
    for (let n = 0; n < COUNT; n++) flood.publish('nobody', BODY, 0);
    assert.equal(await client.roundTrip(), []);
    const then = received(broker);
    assert.ok(then < COUNT, `all ${then} messages of the flood were first`);
    await until('the flood is over', () => received(broker) === COUNT);
  }),
);

bounds('a SUBSCRIBE with thousands of refused filters causes only one log line', () =>
  withBroker(async broker => {
    const client = await broker.client();
    await client.connect({});
    const subscriptions = Array.from({ length: 10_000 }, (_, n) => ({ topic: `a/${n}`, qos: 0 as const }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const answer = await client.next();
    assert.is(answer !== 'closed' && answer.cmd === 'suback' && answer.granted.length, 10_000);
    const refused = broker.log.filter(line => line.includes('Refused'));
    assert.is(refused.length, 1);
    assert.match(
      refused.join(),
      new RegExp(`Refused ${10_000 - MAX_SUBSCRIPTIONS} subscriptions, .* client=c `),
    );
  }),
);

bounds.run();
