import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const YEAR = 365 * 24 * 3_600_000;

const time = suite('queue: time');

time('the shortest of the three TTLs holds, and no consumer is needed to get the space back', async () => {
  const stage = await createStoreHarness({ ttl: 60_000 });
  const empty = stage.store.health().usedBytes;
  await stage.append(messageOf('message', 10_000), [to('a')]);
  await stage.append(messageOf('route'), [to('b', 9, 20_000)]);
  await stage.append(messageOf('store'), [to('c', 9, 90_000)]);
  await stage.pass(15_000);
  assert.equal([texts(stage.peek('a')), texts(stage.peek('b'))], [[], ['route']]);
  await stage.pass(55_000);
  assert.is(stage.store.counts().expired, 3);
  const figures = stage.store.stats().map(({ depth, bytes, oldestMs }) => [depth, bytes, oldestMs]);
  assert.equal(figures, Array(3).fill([0, 0, undefined]));
  assert.ok(stage.store.health().usedBytes - empty < 16_384);
  assert.is(await stage.finish(), 0);
});

time('a wall clock that jumps by years neither expires nor immortalises anything', async () => {
  const stage = await createStoreHarness({ ttl: 60_000 });
  await stage.append(messageOf('x'), [to('a')]);
  await stage.restart(20 * YEAR);
  stage.clock.advance(30_000);
  assert.is(stage.peek('a').length, 1);
  await stage.commit();
  await stage.restart(-50 * YEAR);
  stage.clock.advance(20_000);
  assert.is(stage.peek('a').length, 1);
  stage.clock.jump(90 * YEAR);
  await stage.pass(5_000);
  assert.is(stage.peek('a').length, 1);
  stage.clock.jump(-100 * YEAR);
  await stage.pass(15_000);
  assert.is(stage.peek('a').length, 0);
  await stage.finish();
});

time('what expires behind a message that lives on is found, from disk and from memory', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('for ever'), [to('a')]);
  await stage.append(messageOf('short', 20_000), [to('a')]);
  await stage.append(messageOf('shared', 20_000), [to('a'), to('b')]);
  await stage.append(messageOf('large'.repeat(1000), 20_000), [to('a')]);
  await stage.restart();
  await stage.append(messageOf('in memory', 20_000), [to('a')]);
  assert.equal(stage.peek('a').length, 5);
  await stage.pass(30_000);
  assert.is(stage.store.counts().expired, 5);
  assert.equal(
    stage.store.stats().map(({ queue, depth }) => [queue, depth]),
    [
      ['a', 1],
      ['b', 0],
    ],
  );
  assert.equal(stage.deliver('a'), ['for ever']);
  assert.is(await stage.finish(), 0);
});

time('thousands that expire at once are gone within ten seconds, in bounded steps', async () => {
  const stage = await createStoreHarness();
  const COUNT = 20_000;
  for (let n = 0; n < COUNT; n++) {
    // Half of them behind one that lives longer.
    stage.store.append(messageOf(String(n), n % 2 === 0 ? 30_000 : 25_000), [to('a')], () => {});
    if (n % 1000 === 999) await stage.commit();
  }
  await stage.restart();
  await stage.pass(20_000);
  assert.is(stage.store.counts().expired, 0);
  await stage.pass(20_000);
  assert.is(stage.store.counts().expired, COUNT);
  assert.is(await stage.finish(), 0);
});

time('what is with a receiver does not expire under its hands, and does when it is left', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2']) await stage.append(messageOf(text, 10_000), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await stage.pass(20_000);
  for (const entry of sent.slice(0, 1)) drain.acknowledge(entry);
  drain.stop();
  await stage.pass(10_000);
  const { acknowledged, expired } = stage.store.counts();
  assert.equal({ acknowledged, expired }, { acknowledged: 1, expired: 1 });
  assert.is(await stage.finish(), 0);
});

time('an entry says how much of its TTL is left', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('x', 60_000), [to('a')]);
  await stage.restart();
  await stage.pass(20_000);
  const [entry] = stage.peek('a');
  assert.ok(entry?.remaining !== undefined && entry.remaining > 38_000 && entry.remaining <= 40_000);
  const [waiting] = stage.store.peek('a', 10);
  assert.ok(waiting !== undefined && waiting.waited >= 20_000 && waiting.waited < 22_000);
  await stage.finish();
});

time.run();
