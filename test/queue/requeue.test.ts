import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECKPOINT_DELAY_MS, MAX_ATTEMPTS, MAX_CHECKPOINT_ENTRIES } from '../../src/queue/limits.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

/** A consumer of queue `a` that takes everything while it is `open`. */
function consume(stage: StoreHarness, window: number) {
  const sent: QueueEntry[] = [];
  const state = { open: true };
  const drain = stage.store.drain('a', { window, send: entry => state.open && sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain, state };
}

async function filled(count: number): Promise<StoreHarness> {
  const stage = await createStoreHarness();
  for (let n = 0; n < count; n++) stage.store.append(messageOf(String(n)), [to('a', 9)], () => {});
  await stage.commit();
  return stage;
}

const back = suite('queue: what is given back');

back(
  'it is offered again at its place at the next wake, as redelivered, and before what is new',
  async () => {
    const stage = await filled(6);
    const { sent, drain } = consume(stage, 4);
    await stage.append(messageOf('urgent'), [to('a', 0)]);
    const [zero, one, two, three] = sent.splice(0);
    for (const entry of [three, zero, two]) if (entry !== undefined) drain.requeue(entry);
    await stage.append(messageOf('new'), [to('a', 9)]);
    assert.equal(sent, []);
    drain.wake();
    const again = sent.map(({ message, redelivered }) => `${message.body} ${redelivered}`);
    assert.equal(again, ['0 true', '2 true', '3 true']);
    if (one !== undefined) drain.acknowledge(one);
    for (const entry of Array.from(sent)) drain.acknowledge(entry);
    assert.equal(texts(sent.slice(3)), ['urgent', '4', '5', 'new']);
    drain.stop();
    await stage.finish();
  },
);

back('it is read again from where it lies by then', async () => {
  const stage = await filled(3);
  const { sent, drain } = consume(stage, 3);
  const given = sent.splice(0);
  // A checkpoint takes all into LMDB, and writes the journal over.
  for (let n = 0; n < 2 * MAX_CHECKPOINT_ENTRIES; n++)
    stage.store.append(messageOf(`other ${n}`), [to('b', 9)], () => {});
  await stage.pass(10 * CHECKPOINT_DELAY_MS);
  for (const entry of given) drain.requeue(entry);
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2']);
  drain.stop();
  await stage.finish();
});

back('what had no room when it was offered again goes before what is new, too', async () => {
  const stage = await filled(8);
  const sent: QueueEntry[] = [];
  let room = 4;
  const send = (entry: QueueEntry): boolean => room > 0 && room-- > 0 && sent.push(entry) > 0;
  const drain = stage.store.drain('a', { window: 4, send });
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
  await stage.finish();
});

back('a receiver that takes none of it now is offered it again, in the same order', async () => {
  const stage = await filled(3);
  const { sent, drain, state } = consume(stage, 3);
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
  await stage.finish();
});

back('it is no attempt, however often it happens, and the next drain begins with it', async () => {
  const stage = await filled(2);
  const { sent, drain } = consume(stage, 1);
  for (let round = 0; round < 2 * MAX_ATTEMPTS; round++) {
    for (const entry of sent.splice(0)) drain.requeue(entry);
    drain.wake();
  }
  assert.equal(texts(sent), ['0']);
  for (const entry of sent) drain.requeue(entry);
  drain.stop();
  assert.is(stage.store.counts().dead, 0);
  assert.equal(stage.deliver('a'), ['0', '1']);
  assert.is(await stage.finish(), 0);
});

back('what is given back from within, or twice, or unknown, is offered once at the next wake', async () => {
  const stage = await filled(3);
  const sent: QueueEntry[] = [];
  let returning = true;
  const drain = stage.store.drain('a', {
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
  assert.is(await stage.finish(), 0);
});

back('it outlives a checkpoint meanwhile, and expires if its time is over', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('stays'), [to('a')]);
  await stage.append(messageOf('short', 10_000), [to('a')]);
  const { sent, drain } = consume(stage, 10);
  for (const entry of sent.splice(0)) drain.requeue(entry);
  for (let n = 0; n < 200; n++) await stage.append(messageOf('x'.repeat(10_000)), [to('b')]);
  await stage.pass(15_000);
  assert.ok(stage.store.counts().checkpoints > 0);
  drain.wake();
  assert.equal(texts(sent), ['stays']);
  for (const entry of sent) drain.acknowledge(entry);
  assert.is(stage.store.counts().expired, 1);
  drain.stop();
  stage.store.purge('b');
  await stage.pass(20_000);
  assert.is(await stage.finish(), 0);
});

back.run();
