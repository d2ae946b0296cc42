import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { MIN_STORE_BYTES } from '../../src/manifest/limits.ts';
import type { Database } from '../../src/queue/disk/database.ts';
import { openDatabase } from '../../src/queue/disk/database.ts';
import { oldestOf } from '../../src/queue/entries/overflow.ts';
import { loadQueues } from '../../src/queue/entries/registry.ts';
import type { QueueBound, QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

/** Maximum bytes on disk of an entry with a body of 900 bytes. */
const ENTRY = 1000;

const dropOldest = (maxSize: number) => (): QueueBound => ({ maxSize, whenFull: 'dropOldest' });

function codeOf(error: Error | undefined): string | undefined {
  return error instanceof Failure ? error.code : undefined;
}

/** Appends messages of 900 bytes that begin with a number from `first` to `last`. */
async function fill(harness: StoreHarness, first: number, last: number, priority = 9): Promise<void> {
  for (let n = first; n <= last; n++) {
    assert.is(await harness.append(messageOf(String(n).padEnd(900)), [to('a', priority)]), undefined);
  }
}

function numbers(entries: readonly QueueEntry[]): number[] {
  return entries.map(({ message }) => Number(message.body.toString()));
}

const bounds = suite('queue: size limits');

bounds('a queue whose maxSize is reached refuses messages until a delivery frees space', async () => {
  const harness = await createStoreHarness({ maxSize: MIN_STORE_BYTES });
  const large = (n: number) => messageOf(String(n).repeat(500_000));
  let stored = 0;
  let refused: Error | undefined;
  while (refused === undefined) refused = await harness.append(large(stored++), [to('a')]);
  assert.is(codeOf(refused), 'store.full');
  assert.is(harness.store.health().state, 'full');
  assert.ok(stored > 8, `only ${stored} were stored`);
  assert.ok(harness.store.health().usedBytes <= MIN_STORE_BYTES);
  await harness.restart();
  // The journals are empty after the restart, so one more message may fit.
  let more = 0;
  while ((await harness.append(large(stored + more), [to('a')])) === undefined) more++;
  assert.ok(more <= 1, `${more} more were stored`);
  assert.ok(harness.store.health().usedBytes <= MIN_STORE_BYTES);
  harness.store.purge('a');
  await harness.pass(10_000);
  assert.is(await harness.append(large(stored), [to('a')]), undefined);
  await harness.pass(10_000);
  assert.is(harness.store.health().state, 'working');
  await harness.finish();
});

bounds(
  'the space of a delivered message can be used by the next message before the next commit',
  async () => {
    const harness = await createStoreHarness({ maxSize: MIN_STORE_BYTES });
    const large = messageOf('x'.repeat(500_000));
    while ((await harness.append(large, [to('a')])) === undefined);
    await harness.restart();
    assert.is(codeOf(await harness.append(large, [to('a')])), 'store.full');
    harness.deliver('a');
    assert.is(await harness.append(large, [to('a')]), undefined);
    await harness.finish();
  },
);

bounds('a message for several queues is stored in none of these queues if one of them is full', async () => {
  const boundOf = (queue: string): QueueBound | undefined =>
    queue === 'a' ? { maxSize: 10 * ENTRY, whenFull: 'reject' } : undefined;
  const harness = await createStoreHarness({ boundOf });
  await fill(harness, 1, 10);
  assert.is(codeOf(await harness.append(messageOf('x'.repeat(900)), [to('b'), to('a')])), 'store.full');
  assert.is(await harness.append(messageOf('x'.repeat(900)), [to('b')]), undefined);
  assert.equal(
    harness.store.stats().map(({ queue, depth }) => [queue, depth]),
    [
      ['a', 10],
      ['b', 1],
    ],
  );
  assert.is(harness.store.counts().refused, 1);
  await harness.finish();
});

bounds('a full queue with dropOldest drops the oldest messages on disk and in memory', async () => {
  const harness = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(harness, 1, 10);
  await harness.restart();
  await fill(harness, 11, 25);
  assert.equal(numbers(harness.peek('a')), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  assert.is(harness.store.counts().overflowed, 15);
  await harness.pass(5_000);
  assert.is(harness.warnings.length, 1);
  assert.match(
    harness.warnings[0] ?? '',
    /"a" was full: 15 of its oldest messages were dropped \(\d+ to \d+\)/,
  );
  await harness.restart();
  assert.is(harness.peek('a').length, 10);
  await harness.finish();
});

bounds(
  'dropOldest drops the least urgent messages first, never a message more urgent than the new message',
  async () => {
    const harness = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
    await fill(harness, 1, 5, 9);
    await fill(harness, 6, 10, 0);
    await fill(harness, 11, 13, 4);
    assert.equal(numbers(harness.peek('a')), [6, 7, 8, 9, 10, 11, 12, 13, 4, 5]);
    await fill(harness, 14, 18, 0);
    assert.equal(numbers(harness.peek('a')), [6, 7, 8, 9, 10, 14, 15, 16, 17, 18]);
    assert.is(codeOf(await harness.append(messageOf('x'.repeat(900)), [to('a', 5)])), 'store.full');
    await harness.finish();
  },
);

bounds('dropOldest never drops an in-flight message', async () => {
  const harness = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(harness, 1, 10);
  await harness.restart();
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await fill(harness, 11, 14);
  for (const entry of sent.splice(0)) drain.acknowledge(entry);
  assert.equal(numbers(sent), [7, 8]);
  drain.stop();
  assert.equal(numbers(harness.peek('a')), [7, 8, 9, 10, 11, 12, 13, 14]);
  assert.is(harness.store.counts().overflowed, 4);
  await harness.finish();
});

bounds('a full store with dropOldest drops the messages of the largest queue', async () => {
  const harness = await createStoreHarness({ maxSize: MIN_STORE_BYTES, whenFull: 'dropOldest' });
  const large = (n: number) => messageOf(String(n).padEnd(400_000));
  await harness.append(messageOf('small'), [to('small')]);
  for (let n = 1; n <= 40; n++) assert.is(await harness.append(large(n), [to('a')]), undefined);
  assert.ok(harness.store.health().usedBytes <= MIN_STORE_BYTES);
  const left = numbers(harness.peek('a'));
  assert.is(left.at(-1), 40);
  assert.is(left.length + harness.store.counts().overflowed, 40);
  assert.equal(texts(harness.peek('small')), ['small']);
  assert.ok(left.length > 8, `only ${left.length} were left`);
  await harness.finish();
});

bounds(
  'a message larger than maxSize of its queue is refused, and dropOldest drops no other message',
  async () => {
    const harness = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
    await fill(harness, 1, 10);
    assert.is(codeOf(await harness.append(messageOf('x'.repeat(20_000)), [to('a')])), 'store.full');
    assert.is(harness.store.counts().overflowed, 0);
    await harness.finish();
  },
);

bounds('the depth and the bytes of each queue are the same before and after a restart', async () => {
  const harness = await createStoreHarness();
  const figures = () => harness.store.stats().map(({ queue, depth, bytes }) => [queue, depth, bytes]);
  for (let n = 0; n < 5; n++) await harness.append(messageOf('12345'), [to('a'), to('b')]);
  const before = figures();
  await harness.restart();
  assert.equal(figures(), before);
  const { usedBytes: used } = harness.store.health();
  await harness.restart();
  assert.equal([figures(), harness.store.health().usedBytes], [before, used]);
  await harness.finish();
});

bounds('a purge empties a queue and stops the drain of its consumer', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('older'), [to('a'), to('b')]);
  await harness.restart();
  await harness.append(messageOf('old'), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
  drain.wake();
  harness.store.purge('a');
  for (const entry of sent) drain.acknowledge(entry);
  await harness.append(messageOf('new'), [to('a')]);
  assert.equal(texts(harness.peek('a')), ['new']);
  await harness.restart();
  assert.equal([texts(harness.peek('a')), texts(harness.peek('b'))], [['new'], ['older']]);
  await harness.pass(10_000);
  harness.store.purge('a');
  harness.store.purge('b');
  await harness.pass(10_000);
  assert.is(await harness.finish(), 0);
});

bounds('`oldestOf` reads entries in batches and returns each entry once, in order', async () => {
  const harness = await createStoreHarness();
  for (let n = 1; n <= 2_000; n++) harness.store.append(messageOf(`${n}`), [to('a')], () => {});
  await harness.commit();
  await harness.store.close();
  const database = await openDatabase(harness.folder);
  let reads = 0;
  const counted: Database = {
    ...database,
    entries: (...args) => {
      reads++;
      return database.entries(...args);
    },
  };
  const queue = loadQueues(counted).find('a');
  assert.ok(queue !== undefined);
  const dropped: number[] = [];
  for (let n = 1; queue !== undefined && n <= 1_000; n++) {
    // An entry that is being removed or sent is skipped.
    if (n === 500) for (const sequence of [600, 601]) queue.removing.set(sequence, true);
    const sequence = oldestOf(queue, 9, counted)?.sequence ?? 0;
    queue.removing.set(sequence, true);
    dropped.push(sequence);
  }
  const expected = Array.from({ length: 1_002 }, (_, n) => n + 1).filter(n => n !== 600 && n !== 601);
  assert.equal(dropped, expected);
  assert.ok(reads <= 10, `${reads} reads`);
  await database.close();
  rmSync(harness.folder, { recursive: true });
});

bounds.run();
