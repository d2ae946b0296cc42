import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECKPOINT_DELAY_MS, MAX_ATTEMPTS, MAX_CHECKPOINT_ENTRIES } from '../../src/queue/limits.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

/** Starts a consumer of queue `a` that accepts entries while `state.open` is true. */
function consume(harness: StoreHarness, window: number) {
  const sent: QueueEntry[] = [];
  const state = { open: true };
  const drain = harness.store.drain('a', { window, send: entry => state.open && sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain, state };
}

async function filled(count: number): Promise<StoreHarness> {
  const harness = await createStoreHarness();
  for (let n = 0; n < count; n++) harness.store.append(messageOf(String(n)), [to('a', 9)], () => {});
  await harness.commit();
  return harness;
}

const back = suite('queue: requeued entries');

back(
  'a requeued entry is sent again at the next `wake` before new entries, marked as redelivered',
  async () => {
    const harness = await filled(6);
    const { sent, drain } = consume(harness, 4);
    await harness.append(messageOf('urgent'), [to('a', 0)]);
    const [zero, one, two, three] = sent.splice(0);
    for (const entry of [three, zero, two]) if (entry !== undefined) drain.requeue(entry);
    await harness.append(messageOf('new'), [to('a', 9)]);
    assert.equal(sent, []);
    drain.wake();
    const again = sent.map(({ message, redelivered }) => `${message.body} ${redelivered}`);
    assert.equal(again, ['0 true', '2 true', '3 true']);
    if (one !== undefined) drain.acknowledge(one);
    for (const entry of Array.from(sent)) drain.acknowledge(entry);
    assert.equal(texts(sent.slice(3)), ['urgent', '4', '5', 'new']);
    drain.stop();
    await harness.finish();
  },
);

back('a requeued entry is read from LMDB after a checkpoint has moved the entry there', async () => {
  const harness = await filled(3);
  const { sent, drain } = consume(harness, 3);
  const given = sent.splice(0);
  // A checkpoint moves all entries into LMDB and overwrites the journal.
  for (let n = 0; n < 2 * MAX_CHECKPOINT_ENTRIES; n++)
    harness.store.append(messageOf(`other ${n}`), [to('b', 9)], () => {});
  await harness.pass(10 * CHECKPOINT_DELAY_MS);
  for (const entry of given) drain.requeue(entry);
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2']);
  drain.stop();
  await harness.finish();
});

back('a requeued entry that its receiver refuses at first is sent before new entries', async () => {
  const harness = await filled(8);
  const sent: QueueEntry[] = [];
  let room = 4;
  const send = (entry: QueueEntry): boolean => room > 0 && room-- > 0 && sent.push(entry) > 0;
  const drain = harness.store.drain('a', { window: 4, send });
  drain.wake();
  const [zero, one, two, three] = sent.splice(0);
  for (const entry of [zero, one]) if (entry !== undefined) drain.requeue(entry);
  drain.wake();
  for (const entry of [two, three]) {
    room = 1;
    if (entry !== undefined) drain.acknowledge(entry);
  }
  assert.equal(texts(sent), ['0', '1']);
  drain.stop();
  await harness.finish();
});

back('requeued entries that their receiver refuses are sent again later in the same order', async () => {
  const harness = await filled(3);
  const { sent, drain, state } = consume(harness, 3);
  const [zero, one, two] = sent.splice(0);
  for (const entry of [two, one]) if (entry !== undefined) drain.requeue(entry);
  state.open = false;
  drain.wake();
  if (zero !== undefined) drain.requeue(zero);
  drain.wake();
  state.open = true;
  assert.equal(sent, []);
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2']);
  drain.stop();
  await harness.finish();
});

back('the requeue of an entry is not counted as a delivery attempt', async () => {
  const harness = await filled(2);
  const { sent, drain } = consume(harness, 1);
  for (let round = 0; round < 2 * MAX_ATTEMPTS; round++) {
    for (const entry of sent.splice(0)) drain.requeue(entry);
    drain.wake();
  }
  assert.equal(texts(sent), ['0']);
  for (const entry of sent) drain.requeue(entry);
  drain.stop();
  assert.is(harness.store.counts().dead, 0);
  assert.equal(harness.deliver('a'), ['0', '1']);
  assert.is(await harness.finish(), 0);
});

back('an entry that is requeued twice, or during `send`, is sent once at the next `wake`', async () => {
  const harness = await filled(3);
  const sent: QueueEntry[] = [];
  let returning = true;
  const drain = harness.store.drain('a', {
    window: 10,
    send: entry => {
      sent.push(entry);
      if (returning) drain.requeue(entry);
      return true;
    },
  });
  drain.wake();
  drain.wake();
  assert.equal(texts(sent.splice(0)), ['0', '1', '2', '0', '1', '2']);
  returning = false;
  drain.wake();
  for (const entry of [...sent, ...sent]) drain.requeue(entry);
  for (const entry of sent.splice(0)) drain.acknowledge(entry);
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2']);
  for (const entry of sent) drain.acknowledge(entry);
  drain.stop();
  assert.is(await harness.finish(), 0);
});

back('a requeued entry survives a checkpoint and expires after its TTL', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('stays'), [to('a')]);
  await harness.append(messageOf('short', 10_000), [to('a')]);
  const { sent, drain } = consume(harness, 10);
  for (const entry of sent.splice(0)) drain.requeue(entry);
  for (let n = 0; n < 200; n++) await harness.append(messageOf('x'.repeat(10_000)), [to('b')]);
  await harness.pass(15_000);
  assert.ok(harness.store.counts().checkpoints > 0);
  drain.wake();
  assert.equal(texts(sent), ['stays']);
  for (const entry of sent) drain.acknowledge(entry);
  assert.is(harness.store.counts().expired, 1);
  drain.stop();
  harness.store.purge('b');
  await harness.pass(20_000);
  assert.is(await harness.finish(), 0);
});

back.run();
