import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const durability = suite('queue: durability');

durability('a committed message is present after a restart with all its properties', async () => {
  const harness = await createStoreHarness();
  const message = {
    ...messageOf('hello'),
    properties: ['unit', 'C', 'unit', 'K'],
    retained: true,
    payloadFormat: 1,
    responseTopic: 'answers',
    correlation: Buffer.from([0, 255]),
    ttl: 5000,
    contentType: 'text/plain',
    origin: { kind: 'module', module: 'm', output: 'o' },
  } as const;
  assert.is(await harness.append(message, [to('a')]), undefined);
  await harness.restart();
  const [entry] = harness.peek('a');
  assert.equal(entry?.message, message);
  await harness.finish();
});

durability('a message from upstream that is stored has the same origin after a restart', async () => {
  const harness = await createStoreHarness();
  const message = { ...messageOf('down'), origin: { kind: 'upstream', upstream: 'upstream' } } as const;
  assert.is(await harness.append(message, [to('a')]), undefined);
  await harness.restart();
  assert.equal(harness.peek('a')[0]?.message, message);
  await harness.finish();
});

durability('a message is reported as durable after its commit, not when it is appended', async () => {
  const harness = await createStoreHarness();
  let durable = false;
  harness.store.append(messageOf('x'), [to('a')], () => {
    durable = true;
  });
  await new Promise(resolve => setImmediate(resolve));
  assert.not(durable);
  await harness.commit();
  assert.ok(durable);
  await harness.finish();
});

durability('the body of a sent entry stays unchanged when the journals are overwritten', async () => {
  const harness = await createStoreHarness();
  const large = (text: string) => messageOf(text.repeat(100_000));
  await harness.append(large('1'), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const entry of sent) drain.reject(entry, 'refused');
  for (let n = 0; n < 50; n++) await harness.append(large('x'), [to('b')]);
  await harness.pass(5_000);
  assert.ok(harness.store.counts().checkpoints >= 2);
  const [letter] = harness.store.deadLetters.list();
  for (const message of [sent[0]?.message, letter?.message]) {
    assert.ok(message?.body.equals(Buffer.from('1'.repeat(100_000))));
  }
  drain.stop();
  await harness.finish();
});

durability('entries that are acknowledged out of order leave all other entries unchanged', async () => {
  const harness = await createStoreHarness();
  const wanted = Array.from({ length: 300 }, (_, n) => `${n} ${'.'.repeat((n * 37) % 900)}`);
  for (const text of wanted) await harness.append(messageOf(text), [to('a')]);
  await harness.restart();
  const inFlight: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 1_000, send: entry => inFlight.push(entry) > 0 });
  drain.wake();
  const shuffled = inFlight.map((_, n) => inFlight[(n * 211) % 300]);
  for (const [n, entry] of shuffled.entries()) if (n % 7 !== 3 && entry) drain.acknowledge(entry);
  drain.stop();
  const gone = new Set(Array.from({ length: 300 }, (_, n) => (n % 7 === 3 ? -1 : (n * 211) % 300)));
  const left = wanted.filter((_, n) => !gone.has(n));
  await harness.pass(5_000);
  await harness.restart();
  assert.equal(harness.deliver('a', 1_000), left);
  assert.is(await harness.finish(), 0);
});

durability('a message that every destination acknowledges before the commit is never written', async () => {
  const harness = await createStoreHarness();
  const drain = harness.store.drain('a', {
    window: 10,
    send: entry => {
      setImmediate(() => drain.acknowledge(entry));
      return true;
    },
  });
  drain.wake();
  const durable = new Promise<Error | undefined>(resolve =>
    harness.store.append(messageOf('x'), [to('a')], resolve),
  );
  assert.is(await durable, undefined);
  harness.clock.advance(5_000);
  const { spared, written } = harness.store.counts();
  assert.equal({ spared, written }, { spared: 1, written: 0 });
  drain.stop();
  assert.is(await harness.finish(), 0);
});

durability(
  'a message that one of two destinations has acknowledged is not reported as durable before its commit',
  async () => {
    const harness = await createStoreHarness();
    const sent: QueueEntry[] = [];
    const drain = harness.store.drain('a', { window: 10, send: entry => sent.push(entry) > 0 });
    drain.wake();
    let durable = false;
    harness.store.append(messageOf('x'), [to('a'), to('b')], () => {
      durable = true;
    });
    for (const entry of sent) drain.acknowledge(entry);
    await new Promise(resolve => setImmediate(resolve));
    assert.not(durable);
    await harness.commit();
    assert.ok(durable);
    drain.stop();
    await harness.restart();
    assert.equal([texts(harness.peek('a')), texts(harness.peek('b'))], [[], ['x']]);
    await harness.finish();
  },
);

durability(
  'a message body that several queues share is stored once and deleted with the last queue entry',
  async () => {
    const harness = await createStoreHarness();
    await harness.append(messageOf('x'), [to('a'), to('b'), to('c')]);
    for (const queue of ['a', 'b', 'c']) {
      const drain = harness.store.drain(queue, {
        window: 10,
        send: entry => {
          assert.is(entry.message.body.toString(), 'x');
          drain.acknowledge(entry);
          return true;
        },
      });
      drain.wake();
      drain.stop();
      await harness.commit();
    }
    assert.is(harness.store.counts().written > 0, true);
    assert.is(await harness.finish(), 0);
  },
);

durability('the newest value of metadata is read before its commit and after a restart', async () => {
  const harness = await createStoreHarness();
  harness.store.put('session/a', Buffer.from('1'), () => {});
  harness.store.put('session/b', Buffer.from('2'), () => {});
  harness.store.put('session/a', Buffer.from('3'), () => {});
  assert.is(harness.store.get('session/a')?.toString(), '3');
  await harness.commit();
  harness.store.put('session/b', undefined, () => {});
  assert.is(harness.store.get('session/b'), undefined);
  await harness.restart();
  assert.equal(harness.store.names('session/'), ['session/a']);
  await harness.finish();
});

const order = suite('queue: order');

order('messages with a lower priority number are sent first, in order within a priority', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('low 1'), [to('a', 9)]);
  await harness.append(messageOf('high 1'), [to('a', 0)]);
  harness.store.append(messageOf('low 2'), [to('a', 9)], () => {});
  harness.store.append(messageOf('high 2'), [to('a', 0)], () => {});
  assert.equal(texts(harness.peek('a')), ['high 1', 'high 2', 'low 1', 'low 2']);
  await harness.finish();
});

order('unacknowledged messages are sent again before new messages, marked as redelivered', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a')]);
  const first = harness.store.drain('a', { window: 2, send: () => true });
  first.wake();
  first.stop();
  const again = harness.peek('a').map(({ message, redelivered }) => [message.body.toString(), redelivered]);
  assert.equal(again, [
    ['1', true],
    ['2', true],
    ['3', false],
  ]);
  await harness.finish();
});

order('an acknowledged message is not sent again, also while its removal is not yet on disk', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', '2']) await harness.append(messageOf(text), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const entry of sent.splice(0)) drain.acknowledge(entry);
  drain.stop();
  assert.equal(texts(harness.peek('a')), ['2']);
  await harness.finish();
});

order('a receiver never has more unacknowledged entries than its window allows', async () => {
  const harness = await createStoreHarness();
  for (let n = 0; n < 10; n++) await harness.append(messageOf(String(n)), [to('a')]);
  const sent: QueueEntry[] = [];
  let taking = false;
  const drain = harness.store.drain('a', { window: 4, send: entry => taking && sent.push(entry) > 0 });
  drain.wake();
  assert.is(sent.length, 0);
  taking = true;
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2', '3']);
  drain.stop();
  await harness.finish();
});

order('after each acknowledgement the next entry is sent without a call of `wake`', async () => {
  const harness = await createStoreHarness();
  for (let n = 0; n < 200; n++) harness.store.append(messageOf(String(n)), [to('a')], () => {});
  await harness.commit();
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 4, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (let n = 0; n < 196; n++) {
    const entry = sent[n];
    if (entry !== undefined) drain.acknowledge(entry);
    assert.is(sent.length, n + 5);
  }
  assert.equal(
    texts(sent),
    Array.from({ length: 200 }, (_, n) => String(n)),
  );
  drain.stop();
  await harness.finish();
});

order('an urgent message is sent before less urgent messages that the drain has already read', async () => {
  const harness = await createStoreHarness();
  for (let n = 0; n < 20; n++) await harness.append(messageOf(`low ${n}`), [to('a', 9)]);
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await harness.append(messageOf('high'), [to('a', 0)]);
  for (const entry of sent.slice(0, 1)) drain.acknowledge(entry);
  assert.equal(texts(sent), ['low 0', 'low 1', 'high']);
  drain.stop();
  await harness.finish();
});

durability.run();
order.run();
