import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const YEAR = 365 * 24 * 3_600_000;

const time = suite('queue: expiry');

time('a message expires after the shortest TTL of message, route and store', async () => {
  const harness = await createStoreHarness({ ttl: 60_000 });
  const empty = harness.store.health().usedBytes;
  await harness.append(messageOf('message', 10_000), [to('a')]);
  await harness.append(messageOf('route'), [to('b', 9, 20_000)]);
  await harness.append(messageOf('store'), [to('c', 9, 90_000)]);
  await harness.pass(15_000);
  assert.equal([texts(harness.peek('a')), texts(harness.peek('b'))], [[], ['route']]);
  await harness.pass(55_000);
  assert.is(harness.store.counts().expired, 3);
  const figures = harness.store.stats().map(({ depth, bytes, oldestMs }) => [depth, bytes, oldestMs]);
  assert.equal(figures, Array(3).fill([0, 0, undefined]));
  assert.ok(harness.store.health().usedBytes - empty < 16_384);
  assert.is(await harness.finish(), 0);
});

time('a jump of the wall clock by years neither expires a message nor extends its TTL', async () => {
  const harness = await createStoreHarness({ ttl: 60_000 });
  await harness.append(messageOf('x'), [to('a')]);
  await harness.restart(20 * YEAR);
  harness.clock.advance(30_000);
  assert.is(harness.peek('a').length, 1);
  await harness.commit();
  await harness.restart(-50 * YEAR);
  harness.clock.advance(20_000);
  assert.is(harness.peek('a').length, 1);
  harness.clock.jump(90 * YEAR);
  await harness.pass(5_000);
  assert.is(harness.peek('a').length, 1);
  harness.clock.jump(-100 * YEAR);
  await harness.pass(15_000);
  assert.is(harness.peek('a').length, 0);
  await harness.finish();
});

time('an expired message is removed from disk and memory, also behind a message without a TTL', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('for ever'), [to('a')]);
  await harness.append(messageOf('short', 20_000), [to('a')]);
  await harness.append(messageOf('shared', 20_000), [to('a'), to('b')]);
  await harness.append(messageOf('large'.repeat(1000), 20_000), [to('a')]);
  await harness.restart();
  await harness.append(messageOf('in memory', 20_000), [to('a')]);
  assert.equal(harness.peek('a').length, 5);
  await harness.pass(30_000);
  assert.is(harness.store.counts().expired, 5);
  assert.equal(
    harness.store.stats().map(({ queue, depth }) => [queue, depth]),
    [
      ['a', 1],
      ['b', 0],
    ],
  );
  assert.equal(harness.deliver('a'), ['for ever']);
  assert.is(await harness.finish(), 0);
});

time(
  'thousands of messages that expire at the same time are removed in steps of limited size within ten seconds',
  async () => {
    const harness = await createStoreHarness();
    const COUNT = 20_000;
    for (let n = 0; n < COUNT; n++) {
      // Half of the messages are behind one with a longer TTL.
      harness.store.append(messageOf(String(n), n % 2 === 0 ? 30_000 : 25_000), [to('a')], () => {});
      if (n % 1000 === 999) await harness.commit();
    }
    await harness.restart();
    await harness.pass(20_000);
    assert.is(harness.store.counts().expired, 0);
    await harness.pass(20_000);
    assert.is(harness.store.counts().expired, COUNT);
    assert.is(await harness.finish(), 0);
  },
);

time('an in-flight message expires only after its receiver has stopped', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', '2']) await harness.append(messageOf(text, 10_000), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await harness.pass(20_000);
  for (const entry of sent.slice(0, 1)) drain.acknowledge(entry);
  drain.stop();
  await harness.pass(10_000);
  const { acknowledged, expired } = harness.store.counts();
  assert.equal({ acknowledged, expired }, { acknowledged: 1, expired: 1 });
  assert.is(await harness.finish(), 0);
});

time('an entry reports its remaining TTL and its waiting time', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('x', 60_000), [to('a')]);
  await harness.restart();
  await harness.pass(20_000);
  const [entry] = harness.peek('a');
  assert.ok(entry?.remaining !== undefined && entry.remaining > 38_000 && entry.remaining <= 40_000);
  const [waiting] = harness.store.peek('a', 10);
  assert.ok(waiting !== undefined && waiting.waited >= 20_000 && waiting.waited < 22_000);
  await harness.finish();
});

time.run();
