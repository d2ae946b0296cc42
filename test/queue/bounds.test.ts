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

/** Bytes of disk that a queue's entry with a body of 900 bytes takes, at most. */
const ENTRY = 1000;

const dropOldest = (maxSize: number) => (): QueueBound => ({ maxSize, whenFull: 'dropOldest' });

function codeOf(error: Error | undefined): string | undefined {
  return error instanceof Failure ? error.code : undefined;
}

/** Appends messages of 900 bytes that begin with a number from `first` to `last`. */
async function fill(stage: StoreHarness, first: number, last: number, priority = 9): Promise<void> {
  for (let n = first; n <= last; n++) {
    assert.is(await stage.append(messageOf(String(n).padEnd(900)), [to('a', priority)]), undefined);
  }
}

function numbers(entries: readonly QueueEntry[]): number[] {
  return entries.map(({ message }) => Number(message.body.toString()));
}

const bounds = suite('queue: bounds');

bounds('beyond maxSize a message is refused, and taken again when there is room', async () => {
  const stage = await createStoreHarness({ maxSize: MIN_STORE_BYTES });
  const large = (n: number) => messageOf(String(n).repeat(500_000));
  let kept = 0;
  let refused: Error | undefined;
  while (refused === undefined) refused = await stage.append(large(kept++), [to('a')]);
  assert.is(codeOf(refused), 'store.full');
  assert.is(stage.store.health().state, 'full');
  assert.ok(kept > 8, `only ${kept} were kept`);
  assert.ok(stage.store.health().usedBytes <= MIN_STORE_BYTES);
  await stage.restart();
  // The journals have restarted, so one more may fit.
  let more = 0;
  while ((await stage.append(large(kept + more), [to('a')])) === undefined) more++;
  assert.ok(more <= 1, `${more} more were kept`);
  assert.ok(stage.store.health().usedBytes <= MIN_STORE_BYTES);
  stage.store.purge('a');
  await stage.pass(10_000);
  assert.is(await stage.append(large(kept), [to('a')]), undefined);
  await stage.pass(10_000);
  assert.is(stage.store.health().state, 'working');
  await stage.finish();
});

bounds('the room of what is delivered is there at once', async () => {
  const stage = await createStoreHarness({ maxSize: MIN_STORE_BYTES });
  const large = messageOf('x'.repeat(500_000));
  while ((await stage.append(large, [to('a')])) === undefined);
  await stage.restart();
  assert.is(codeOf(await stage.append(large, [to('a')])), 'store.full');
  stage.deliver('a');
  assert.is(await stage.append(large, [to('a')]), undefined);
  await stage.finish();
});

bounds(
  'a queue beyond its own bound refuses; others take on, and a message goes to all or none',
  async () => {
    const boundOf = (queue: string): QueueBound | undefined =>
      queue === 'a' ? { maxSize: 10 * ENTRY, whenFull: 'reject' } : undefined;
    const stage = await createStoreHarness({ boundOf });
    await fill(stage, 1, 10);
    assert.is(codeOf(await stage.append(messageOf('x'.repeat(900)), [to('b'), to('a')])), 'store.full');
    assert.is(await stage.append(messageOf('x'.repeat(900)), [to('b')]), undefined);
    assert.equal(
      stage.store.stats().map(({ queue, depth }) => [queue, depth]),
      [
        ['a', 10],
        ['b', 1],
      ],
    );
    assert.is(stage.store.counts().refused, 1);
    await stage.finish();
  },
);

bounds('dropOldest takes the oldest away, from disk and from memory, counted and said once', async () => {
  const stage = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(stage, 1, 10);
  await stage.restart();
  await fill(stage, 11, 25);
  assert.equal(numbers(stage.peek('a')), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  assert.is(stage.store.counts().overflowed, 15);
  await stage.pass(5_000);
  assert.is(stage.warnings.length, 1);
  assert.match(
    stage.warnings[0] ?? '',
    /"a" was full: 15 of its oldest messages were dropped \(\d+ to \d+\)/,
  );
  await stage.restart();
  assert.is(stage.peek('a').length, 10);
  await stage.finish();
});

bounds('dropOldest takes the least urgent first, and nothing more urgent than the newcomer', async () => {
  const stage = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(stage, 1, 5, 9);
  await fill(stage, 6, 10, 0);
  await fill(stage, 11, 13, 4);
  assert.equal(numbers(stage.peek('a')), [6, 7, 8, 9, 10, 11, 12, 13, 4, 5]);
  await fill(stage, 14, 18, 0);
  assert.equal(numbers(stage.peek('a')), [6, 7, 8, 9, 10, 14, 15, 16, 17, 18]);
  assert.is(codeOf(await stage.append(messageOf('x'.repeat(900)), [to('a', 5)])), 'store.full');
  await stage.finish();
});

bounds('dropOldest leaves what is with a receiver, and its consumer goes on behind the gap', async () => {
  const stage = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(stage, 1, 10);
  await stage.restart();
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await fill(stage, 11, 14);
  for (const entry of sent.splice(0)) drain.acknowledge(entry);
  assert.equal(numbers(sent), [7, 8]);
  drain.stop();
  assert.equal(numbers(stage.peek('a')), [7, 8, 9, 10, 11, 12, 13, 14]);
  assert.is(stage.store.counts().overflowed, 4);
  await stage.finish();
});

bounds('a store that drops its oldest takes them from the queue that holds most', async () => {
  const stage = await createStoreHarness({ maxSize: MIN_STORE_BYTES, whenFull: 'dropOldest' });
  const large = (n: number) => messageOf(String(n).padEnd(400_000));
  await stage.append(messageOf('small'), [to('small')]);
  for (let n = 1; n <= 40; n++) assert.is(await stage.append(large(n), [to('a')]), undefined);
  assert.ok(stage.store.health().usedBytes <= MIN_STORE_BYTES);
  const left = numbers(stage.peek('a'));
  assert.is(left.at(-1), 40);
  assert.is(left.length + stage.store.counts().overflowed, 40);
  assert.equal(texts(stage.peek('small')), ['small']);
  assert.ok(left.length > 8, `only ${left.length} were left`);
  await stage.finish();
});

bounds('a message that is larger than the bound is refused, and nothing is dropped for it', async () => {
  const stage = await createStoreHarness({ boundOf: dropOldest(10 * ENTRY) });
  await fill(stage, 1, 10);
  assert.is(codeOf(await stage.append(messageOf('x'.repeat(20_000)), [to('a')])), 'store.full');
  assert.is(stage.store.counts().overflowed, 0);
  await stage.finish();
});

bounds('depth, bytes and the bytes in use are exact across restarts', async () => {
  const stage = await createStoreHarness();
  const figures = () => stage.store.stats().map(({ queue, depth, bytes }) => [queue, depth, bytes]);
  for (let n = 0; n < 5; n++) await stage.append(messageOf('12345'), [to('a'), to('b')]);
  const before = figures();
  await stage.restart();
  assert.equal(figures(), before);
  const { usedBytes: used } = stage.store.health();
  await stage.restart();
  assert.equal([figures(), stage.store.health().usedBytes], [before, used]);
  await stage.finish();
});

bounds(
  'a purged queue is empty at once, its consumer is stopped, and under its name a new one begins',
  async () => {
    const stage = await createStoreHarness();
    await stage.append(messageOf('older'), [to('a'), to('b')]);
    await stage.restart();
    await stage.append(messageOf('old'), [to('a')]);
    const sent: QueueEntry[] = [];
    const drain = stage.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
    drain.wake();
    stage.store.purge('a');
    for (const entry of sent) drain.acknowledge(entry);
    await stage.append(messageOf('new'), [to('a')]);
    assert.equal(texts(stage.peek('a')), ['new']);
    await stage.restart();
    assert.equal([texts(stage.peek('a')), texts(stage.peek('b'))], [['new'], ['older']]);
    await stage.pass(10_000);
    stage.store.purge('a');
    stage.store.purge('b');
    await stage.pass(10_000);
    assert.is(await stage.finish(), 0);
  },
);

bounds('the oldest entries are read by many, not one by one, and each is named once, in order', async () => {
  const stage = await createStoreHarness();
  for (let n = 1; n <= 2_000; n++) stage.store.append(messageOf(`${n}`), [to('a')], () => {});
  await stage.commit();
  await stage.store.close();
  const database = await openDatabase(stage.folder);
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
    // An entry that leaves by another way, or is on its way to its receiver, is passed over.
    if (n === 500) for (const sequence of [600, 601]) queue.removing.set(sequence, true);
    const sequence = oldestOf(queue, 9, counted)?.sequence ?? 0;
    queue.removing.set(sequence, true);
    dropped.push(sequence);
  }
  const expected = Array.from({ length: 1_002 }, (_, n) => n + 1).filter(n => n !== 600 && n !== 601);
  assert.equal(dropped, expected);
  assert.ok(reads <= 10, `${reads} reads`);
  await database.close();
  rmSync(stage.folder, { recursive: true });
});

bounds.run();
