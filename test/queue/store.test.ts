import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const durability = suite('queue: durability');

durability('a settled message is there after a restart, with all it carried', async () => {
  const stage = await createStoreHarness();
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
  assert.is(await stage.append(message, [to('a')]), undefined);
  await stage.restart();
  const [entry] = stage.peek('a');
  assert.equal(entry?.message, message);
  await stage.finish();
});

durability('a message from upstream is one after a restart too', async () => {
  const stage = await createStoreHarness();
  const message = { ...messageOf('down'), origin: { kind: 'upstream', upstream: 'upstream' } } as const;
  assert.is(await stage.append(message, [to('a')]), undefined);
  await stage.restart();
  assert.equal(stage.peek('a')[0]?.message, message);
  await stage.finish();
});

durability('a message is settled only after its commit, not when it is appended', async () => {
  const stage = await createStoreHarness();
  let settled = false;
  stage.store.append(messageOf('x'), [to('a')], () => {
    settled = true;
  });
  await new Promise(resolve => setImmediate(resolve));
  assert.not(settled);
  await stage.commit();
  assert.ok(settled);
  await stage.finish();
});

durability('what a receiver holds stays as it was while the journals are written over and over', async () => {
  const stage = await createStoreHarness();
  const large = (text: string) => messageOf(text.repeat(100_000));
  await stage.append(large('1'), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const entry of sent) drain.reject(entry, 'refused');
  for (let n = 0; n < 50; n++) await stage.append(large('x'), [to('b')]);
  await stage.pass(5_000);
  assert.ok(stage.store.counts().checkpoints >= 2);
  const [letter] = stage.store.deadLetters.list();
  for (const message of [sent[0]?.message, letter?.message]) {
    assert.ok(message?.body.equals(Buffer.from('1'.repeat(100_000))));
  }
  drain.stop();
  await stage.finish();
});

durability('entries that leave one by one, in any order, leave the others as they were', async () => {
  const stage = await createStoreHarness();
  const wanted = Array.from({ length: 300 }, (_, n) => `${n} ${'.'.repeat((n * 37) % 900)}`);
  for (const text of wanted) await stage.append(messageOf(text), [to('a')]);
  await stage.restart();
  const held: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 1_000, send: entry => held.push(entry) > 0 });
  drain.wake();
  const shuffled = held.map((_, n) => held[(n * 211) % 300]);
  for (const [n, entry] of shuffled.entries()) if (n % 7 !== 3 && entry) drain.acknowledge(entry);
  drain.stop();
  const gone = new Set(Array.from({ length: 300 }, (_, n) => (n % 7 === 3 ? -1 : (n * 211) % 300)));
  const left = wanted.filter((_, n) => !gone.has(n));
  await stage.pass(5_000);
  await stage.restart();
  assert.equal(stage.deliver('a', 1_000), left);
  assert.is(await stage.finish(), 0);
});

durability('what every destination acknowledged before the commit is never written', async () => {
  const stage = await createStoreHarness();
  const drain = stage.store.drain('a', {
    window: 10,
    send: entry => {
      setImmediate(() => drain.acknowledge(entry));
      return true;
    },
  });
  drain.wake();
  const settled = new Promise<Error | undefined>(resolve =>
    stage.store.append(messageOf('x'), [to('a')], resolve),
  );
  assert.is(await settled, undefined);
  stage.clock.advance(5_000);
  const { spared, written } = stage.store.counts();
  assert.equal({ spared, written }, { spared: 1, written: 0 });
  drain.stop();
  assert.is(await stage.finish(), 0);
});

durability('one of two destinations acknowledging early does not settle the message', async () => {
  const stage = await createStoreHarness();
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 10, send: entry => sent.push(entry) > 0 });
  drain.wake();
  let settled = false;
  stage.store.append(messageOf('x'), [to('a'), to('b')], () => {
    settled = true;
  });
  for (const entry of sent) drain.acknowledge(entry);
  await new Promise(resolve => setImmediate(resolve));
  assert.not(settled);
  await stage.commit();
  assert.ok(settled);
  drain.stop();
  await stage.restart();
  assert.equal([texts(stage.peek('a')), texts(stage.peek('b'))], [[], ['x']]);
  await stage.finish();
});

durability('a body is stored once for several queues and goes with the last of them', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('x'), [to('a'), to('b'), to('c')]);
  for (const queue of ['a', 'b', 'c']) {
    const drain = stage.store.drain(queue, {
      window: 10,
      send: entry => {
        assert.is(entry.message.body.toString(), 'x');
        drain.acknowledge(entry);
        return true;
      },
    });
    drain.wake();
    drain.stop();
    await stage.commit();
  }
  assert.is(stage.store.counts().written > 0, true);
  assert.is(await stage.finish(), 0);
});

durability('settled state: the newest value is read at once and after a restart', async () => {
  const stage = await createStoreHarness();
  stage.store.put('session/a', Buffer.from('1'), () => {});
  stage.store.put('session/b', Buffer.from('2'), () => {});
  stage.store.put('session/a', Buffer.from('3'), () => {});
  assert.is(stage.store.get('session/a')?.toString(), '3');
  await stage.commit();
  stage.store.put('session/b', undefined, () => {});
  assert.is(stage.store.get('session/b'), undefined);
  await stage.restart();
  assert.equal(stage.store.names('session/'), ['session/a']);
  await stage.finish();
});

const order = suite('queue: order');

order('lower priorities first, in order within one, from memory and from disk alike', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('low 1'), [to('a', 9)]);
  await stage.append(messageOf('high 1'), [to('a', 0)]);
  stage.store.append(messageOf('low 2'), [to('a', 9)], () => {});
  stage.store.append(messageOf('high 2'), [to('a', 0)], () => {});
  assert.equal(texts(stage.peek('a')), ['high 1', 'high 2', 'low 1', 'low 2']);
  await stage.finish();
});

order('what was sent and not acknowledged comes again first, marked as redelivered', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a')]);
  const first = stage.store.drain('a', { window: 2, send: () => true });
  first.wake();
  first.stop();
  const again = stage.peek('a').map(({ message, redelivered }) => [message.body.toString(), redelivered]);
  assert.equal(again, [
    ['1', true],
    ['2', true],
    ['3', false],
  ]);
  await stage.finish();
});

order('what was acknowledged does not come back, though its removal is not on disk yet', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2']) await stage.append(messageOf(text), [to('a')]);
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 1, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const entry of sent.splice(0)) drain.acknowledge(entry);
  drain.stop();
  assert.equal(texts(stage.peek('a')), ['2']);
  await stage.finish();
});

order('the window bounds what is sent, and a refusing receiver is offered the same entry again', async () => {
  const stage = await createStoreHarness();
  for (let n = 0; n < 10; n++) await stage.append(messageOf(String(n)), [to('a')]);
  const sent: QueueEntry[] = [];
  let taking = false;
  const drain = stage.store.drain('a', { window: 4, send: entry => taking && sent.push(entry) > 0 });
  drain.wake();
  assert.is(sent.length, 0);
  taking = true;
  drain.wake();
  assert.equal(texts(sent), ['0', '1', '2', '3']);
  drain.stop();
  await stage.finish();
});

order('each acknowledgement is answered by the next entry at once', async () => {
  const stage = await createStoreHarness();
  for (let n = 0; n < 200; n++) stage.store.append(messageOf(String(n)), [to('a')], () => {});
  await stage.commit();
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 4, send: entry => sent.push(entry) > 0 });
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
  await stage.finish();
});

order('a high priority that comes while low ones are read ahead still goes first', async () => {
  const stage = await createStoreHarness();
  for (let n = 0; n < 20; n++) await stage.append(messageOf(`low ${n}`), [to('a', 9)]);
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 2, send: entry => sent.push(entry) > 0 });
  drain.wake();
  await stage.append(messageOf('high'), [to('a', 0)]);
  for (const entry of sent.slice(0, 1)) drain.acknowledge(entry);
  assert.equal(texts(sent), ['low 0', 'low 1', 'high']);
  drain.stop();
  await stage.finish();
});

durability.run();
order.run();
