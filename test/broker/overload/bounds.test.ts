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

/** Lets a persistent session subscribe to `kept` and go away. */
async function leaveReader(stage: BrokerHarness): Promise<void> {
  const reader = await stage.client();
  await reader.connect({ clientId: 'reader', clean: false });
  await reader.subscribe('kept', 1);
  await reader.leave();
}

/** Publishes `count` messages that must be kept, with identifiers from 1 on. */
async function publisherOf(stage: BrokerHarness, count: number, keepalive: number): Promise<Client> {
  const publisher = await stage.client();
  await publisher.connect({ clientId: 'publisher', keepalive });
  for (let id = 1; id <= count; id++) publisher.publish('kept', BODY, 1, id);
  return publisher;
}

function received(stage: BrokerHarness): number {
  return stage.hub().status().counts.broker.received;
}

const bounds = suite('broker: bounds');

bounds(
  'while the disk stalls a publisher is read no further, others are served, and all is settled after it',
  () =>
    withBroker(async stage => {
      const COUNT = 6000;
      await leaveReader(stage);
      const goOn = await stallDisk(join(stage.folder, 'data'));
      const publisher = await publisherOf(stage, COUNT, 0);
      const bystander = await stage.client();
      await bystander.connect({ clientId: 'bystander' });
      const unsettled = (): number => received(stage) - publisher.waiting();
      let commits = 0;
      let looks = 0;
      // Both journals are full by then: without the lock a commit would come within its window.
      await until('no commit comes any more', () => {
        const { store } = stage.hub().status().counts;
        looks = store.commits === commits && unsettled() > 0 ? looks + 1 : 0;
        commits = store.commits;
        return looks === 10;
      });
      const settled = publisher.waiting();
      for (let n = 0; n < 50; n++) assert.equal(await bystander.roundTrip(), []);
      assert.is(publisher.waiting(), settled);
      assert.ok(unsettled() <= MAX_PENDING_PUBLISHES, `${unsettled()} were taken in`);
      await goOn();
      for (let id = 1; id <= COUNT; id++) {
        const packet = await publisher.next();
        assert.is(packet !== 'closed' && packet.messageId, id);
      }
    }),
);

bounds('a publisher that is not read does not lose its connection to its keep-alive', async () => {
  const COUNT = 3000;
  const clock = createTestClock();
  await withBroker(
    async stage => {
      const reader = await stage.client();
      await reader.connect({ clientId: 'reader', clean: false });
      reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'kept', qos: 1 }] });
      assert.equal(await reader.roundTrip(), []);
      clock.advance(COMMIT_WINDOW_MS);
      assert.is(brief(await reader.next()), 'suback 1');
      await reader.leave();
      const publisher = await publisherOf(stage, COUNT, 60);
      await until('the publisher is held back', () => received(stage) === MAX_PENDING_PUBLISHES);
      clock.advance(10 * 60_000);
      await until('all is settled', () => {
        clock.advance(COMMIT_WINDOW_MS);
        return publisher.waiting() === COUNT;
      });
    },
    { clock },
  );
});

bounds('clients that come and go with rubbish disturb nobody and leave nothing behind', () =>
  withBroker(async stage => {
    const good = await stage.client();
    await good.connect({ clientId: 'good' });
    const rubbish = async (): Promise<void> => {
      for (let n = 0; n < 50; n++) {
        const bad = await stage.client();
        if (n % 2 === 0) await bad.connect({ clientId: 'bad', clean: false });
        bad.write(Buffer.alloc(1000, n));
        bad.socket.end();
        while ((await bad.next()) !== 'closed');
      }
    };
    const flood = Promise.all([rubbish(), rubbish(), rubbish(), rubbish()]);
    for (let id = 1; id <= 500; id++) {
      good.publish('a', 'x', 1, id);
      const answer = await good.next();
      assert.is(answer !== 'closed' && answer.messageId, id);
    }
    await flood;
    await until('the others are gone', () => stage.hub().status().counts.broker.connections === 1);
  }),
);

bounds('a flood of QoS 0 does not keep the others from being served meanwhile', () =>
  withBroker(async stage => {
    const COUNT = 50_000;
    const good = await stage.client();
    await good.connect({ clientId: 'good' });
    const flood = await stage.client();
    await flood.connect({ clientId: 'flood' });
    for (let n = 0; n < COUNT; n++) flood.publish('nobody', BODY, 0);
    assert.equal(await good.roundTrip(), []);
    const then = received(stage);
    assert.ok(then < COUNT, `all ${then} of the flood went first`);
    await until('the flood is over', () => received(stage) === COUNT);
  }),
);

bounds('however many subscriptions one packet is refused, the log gets one line', () =>
  withBroker(async stage => {
    const client = await stage.client();
    await client.connect({});
    const subscriptions = Array.from({ length: 10_000 }, (_, n) => ({ topic: `a/${n}`, qos: 0 as const }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const answer = await client.next();
    assert.is(answer !== 'closed' && answer.cmd === 'suback' && answer.granted.length, 10_000);
    const refused = stage.log.filter(line => line.includes('Refused'));
    assert.is(refused.length, 1);
    assert.match(
      refused.join(),
      new RegExp(`Refused ${10_000 - MAX_SUBSCRIPTIONS} subscriptions, .* client=c `),
    );
  }),
);

bounds.run();
