import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PriorityMode, QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, to } from '../harness/queue.ts';

const priorities = suite('queue: priorities');

/** Resolves to the priorities of sent entries in order. `waiting` has the number of messages by priority. */
async function order(
  wanted: PriorityMode,
  waiting: Readonly<Record<number, number>>,
  onDisk: boolean,
): Promise<number[]> {
  const harness = await createStoreHarness();
  for (const [priority, count] of Object.entries(waiting)) {
    for (let index = 0; index < count; index++)
      harness.store.append(messageOf(String(index)), [to('q', Number(priority))], () => {});
  }
  await harness.commit();
  if (onDisk) await harness.pass(10_000);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('q', {
    window: 1,
    priorities: wanted,
    send: entry => {
      sent.push(entry);
      setImmediate(() => drain.acknowledge(entry));
      return true;
    },
  });
  drain.wake();
  const total = Object.values(waiting).reduce((sum, count) => sum + count, 0);
  while (sent.length < total) await new Promise(done => setImmediate(done));
  drain.stop();
  await harness.finish();
  // Entries of one priority are sent in order.
  for (const priority of Object.keys(waiting).map(Number)) {
    const bodies = sent
      .filter(entry => entry.priority === priority)
      .map(({ message }) => message.body.toString());
    assert.equal(
      bodies,
      bodies.map((_, index) => String(index)),
    );
  }
  return sent.map(({ priority }) => priority);
}

priorities('strict mode sends no message while a more urgent message waits', async () => {
  for (const onDisk of [false, true]) {
    const sent = await order('strict', { 0: 40, 5: 10, 9: 10 }, onDisk);
    assert.equal(sent, [...sent].sort());
  }
});

priorities(
  'weighted mode sends one message of a lower priority after every eight urgent messages',
  async () => {
    for (const onDisk of [false, true]) {
      const sent = await order('weighted', { 0: 80, 9: 80 }, onDisk);
      assert.equal(sent.slice(0, 8), new Array(8).fill(0));
      const share = sent.slice(0, 90).filter(priority => priority === 9).length;
      assert.is(share, 10);
    }
  },
);

priorities(
  'weighted mode sends messages of every priority, also while more urgent messages wait',
  async () => {
    const sent = await order('weighted', { 0: 200, 3: 20, 6: 20, 9: 20 }, true);
    const early = sent.slice(0, 120);
    for (const priority of [3, 6, 9])
      assert.ok(early.filter(one => one === priority).length >= 8, String(priority));
  },
);

priorities('weighted mode sends unacknowledged messages again before new messages', async () => {
  const harness = await createStoreHarness();
  const texts = (entries: readonly QueueEntry[]): string[] =>
    entries.map(({ message }) => message.body.toString());
  for (const text of ['low 0', 'low 1', 'low 2']) await harness.append(messageOf(text), [to('q', 9)]);
  const first: QueueEntry[] = [];
  const one = harness.store.drain('q', {
    window: 2,
    priorities: 'weighted',
    send: entry => first.push(entry) > 0,
  });
  one.wake();
  one.stop();
  await harness.append(messageOf('high'), [to('q', 0)]);
  const then: QueueEntry[] = [];
  const other = harness.store.drain('q', {
    window: 9,
    priorities: 'weighted',
    send: entry => then.push(entry) > 0,
  });
  other.wake();
  assert.equal(texts(first), ['low 0', 'low 1']);
  assert.equal(texts(then), ['low 0', 'low 1', 'high', 'low 2']);
  assert.equal(
    then.map(({ redelivered }) => redelivered),
    [true, true, false, false],
  );
  other.stop();
  await harness.finish();
});

priorities.run();
