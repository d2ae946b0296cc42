import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { MAX_NAME_BYTES } from '../../src/queue/limits.ts';
import type { Drain, MetadataEntry, QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

// Without a handler, SIGXFSZ would end the process when a write exceeds the limit of file sizes.
process.on('SIGXFSZ', () => {});

function metadataOf(name: string, text = 'x'): MetadataEntry {
  return { name, value: Buffer.from(text) };
}

/** Starts a receiver of queue `a` that accepts every entry. */
function receive(harness: StoreHarness): { readonly sent: QueueEntry[]; readonly drain: Drain } {
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window: 100, send: entry => sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain };
}

const ignore = (): void => {};

const durableFirst = suite('queue: durable-first messages');

durableFirst('a message and its metadata are committed together and present after a restart', async () => {
  const harness = await createStoreHarness();
  const { commits } = harness.store.counts();
  const events: string[] = [];
  harness.store.append(messageOf('1'), [to('a')], error => events.push(`1 ${error}`), metadataOf('n', '1'));
  harness.store.append(messageOf('2'), [to('b')], error => events.push(`2 ${error}`), metadataOf('n', '2'));
  assert.equal(events, []);
  await harness.commit();
  assert.equal(events, ['1 undefined', '2 undefined']);
  assert.is(harness.store.counts().commits, commits + 1);
  await harness.restart();
  assert.equal([texts(harness.peek('a')), texts(harness.peek('b'))], [['1'], ['2']]);
  assert.is(harness.store.get('n')?.toString(), '2');
  await harness.finish();
});

durableFirst('a message with metadata blocks later messages of its priority until its commit', async () => {
  const harness = await createStoreHarness();
  const { sent, drain } = receive(harness);
  harness.store.append(messageOf('before'), [to('a')], ignore);
  harness.store.append(messageOf('durableFirst'), [to('a')], ignore, metadataOf('n'));
  harness.store.append(messageOf('behind'), [to('a')], ignore);
  harness.store.append(messageOf('urgent'), [to('a', 0)], ignore);
  drain.wake();
  assert.equal(texts(sent), ['before', 'urgent']);
  assert.equal(texts(harness.peek('b')), []);
  await harness.commit();
  assert.equal(texts(sent), ['before', 'urgent', 'durableFirst', 'behind']);
  for (const entry of sent) drain.acknowledge(entry);
  assert.is(harness.store.counts().spared, 1);
  drain.stop();
  assert.is(await harness.finish(), 0);
});

durableFirst(
  'a message with metadata is written to disk, also if its receiver acknowledges it before the commit',
  async () => {
    const harness = await createStoreHarness();
    const drain: Drain = harness.store.drain('a', {
      window: 10,
      send: entry => {
        drain.acknowledge(entry);
        return true;
      },
    });
    drain.wake();
    harness.store.append(messageOf('1'), [to('a')], ignore);
    assert.is(await appendWithMetadata(harness, [to('a')]), undefined);
    assert.is(harness.store.counts().spared, 1);
    assert.is(harness.store.counts().acknowledged, 2);
    drain.stop();
    await harness.restart();
    assert.equal(harness.store.names('n'), ['n']);
    assert.is(await harness.finish(), 0);
  },
);

/** Appends a message with metadata `name`. Resolves to the code of the error after its commit. */
async function appendWithMetadata(
  harness: StoreHarness,
  destinations: Parameters<StoreHarness['append']>[1],
  name = 'n',
): Promise<string | undefined> {
  let code: string | undefined = 'pending';
  const onDurable = (error?: Error): void => {
    code = error instanceof Failure ? error.code : undefined;
  };
  harness.store.append(messageOf('durableFirst'), destinations, onDurable, metadataOf(name));
  while (code === 'pending') {
    harness.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
  return code;
}

durableFirst('a message that is appended to no queue stores only its metadata', async () => {
  const harness = await createStoreHarness();
  assert.is(await appendWithMetadata(harness, []), undefined);
  assert.is(harness.store.get('n')?.toString(), 'x');
  harness.store.append(messageOf('1'), [to('a')], ignore, metadataOf('n', 'y'));
  harness.store.put('n', undefined, ignore);
  harness.store.put('m', undefined, ignore);
  harness.store.append(messageOf('2'), [to('a')], ignore, metadataOf('m', 'z'));
  assert.equal([harness.store.get('n'), harness.store.get('m')?.toString()], [undefined, 'z']);
  await harness.restart();
  assert.equal([harness.store.get('n'), harness.store.get('m')?.toString()], [undefined, 'z']);
  assert.equal(harness.deliver('a'), ['1', '2']);
  assert.is(await harness.finish(), 0);
});

durableFirst('a failed commit stores neither the message nor its metadata', async () => {
  const harness = await createStoreHarness();
  const { sent, drain } = receive(harness);
  const limit = (bytes: string) =>
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  limit('0');
  try {
    const durable = appendWithMetadata(harness, [to('a')]);
    await new Promise(resolve => setImmediate(resolve));
    assert.is(harness.store.get('n')?.toString(), 'x');
    harness.store.append(messageOf('behind'), [to('a')], ignore);
    assert.is(await durable, 'store.write');
    assert.equal([harness.store.get('n'), harness.store.names('')], [undefined, []]);
  } finally {
    limit('unlimited');
  }
  assert.equal(texts(sent), ['behind']);
  drain.stop();
  await harness.pass(5_000);
  await harness.restart();
  assert.is(harness.store.get('n'), undefined);
  await harness.finish();
});

durableFirst(
  'a message that is refused because of its size or its queue name stores no metadata',
  async () => {
    const harness = await createStoreHarness({ boundOf: () => ({ maxSize: 10, whenFull: 'reject' }) });
    assert.is(await appendWithMetadata(harness, [to('a')]), 'store.full');
    const long = 'n'.repeat(MAX_NAME_BYTES + 1);
    assert.is(await appendWithMetadata(harness, [], long), 'store.write');
    assert.equal(harness.store.names('n'), []);
    const longest = 'ö'.repeat(MAX_NAME_BYTES / 2);
    assert.is(await appendWithMetadata(harness, [], longest), undefined);
    await harness.restart();
    assert.equal(harness.store.names('ö'), [longest]);
    await harness.finish();
  },
);

durableFirst(
  'a message with metadata that is dropped before its commit is reported as durable only after the commit',
  async () => {
    const harness = await createStoreHarness();
    const { sent, drain } = receive(harness);
    let durable = false;
    const onDurable = (): void => {
      durable = true;
    };
    harness.store.append(messageOf('durableFirst'), [to('a')], onDurable, metadataOf('n'));
    harness.store.append(messageOf('behind'), [to('a')], ignore);
    const [first] = harness.store.peek('a', 1);
    harness.store.drop('a', first?.sequence ?? 0, ignore);
    assert.not(durable);
    await harness.commit();
    assert.ok(durable);
    assert.equal(texts(sent), ['behind']);
    assert.is(harness.store.get('n')?.toString(), 'x');
    drain.stop();
    await harness.finish();
  },
);

durableFirst(
  'a queue entry has the same sequence number after a restart, whether it is read from the journal or from LMDB',
  async () => {
    const harness = await createStoreHarness();
    const numbers = () => harness.store.peek('a', 100).map(({ sequence }) => sequence);
    for (let n = 0; n < 40; n++)
      harness.store.append(messageOf(String(n)), [to('a')], ignore, metadataOf(`n${n}`));
    await harness.commit();
    const before = numbers();
    assert.is(new Set(before).size, 40);
    for (let restart = 0; restart < 3; restart++) {
      await harness.restart();
      assert.equal(numbers(), before);
    }
    await appendWithMetadata(harness, [to('a')]);
    assert.ok((numbers().at(-1) ?? 0) > Math.max(...before));
    await harness.finish();
  },
);

const metadata = suite('queue: metadata');

metadata('deleted metadata are absent before and after a checkpoint', async () => {
  const harness = await createStoreHarness();
  harness.store.put('old', Buffer.from('x'), ignore);
  await harness.restart();
  for (let n = 0; n < 100; n++) {
    harness.store.append(messageOf('x'), [], ignore, metadataOf(`n/${n}`));
    await harness.commit();
    harness.store.put(`n/${n}`, undefined, ignore);
    await harness.commit();
  }
  await harness.commit();
  assert.equal([harness.store.names('n/'), harness.store.names('old')], [[], ['old']]);
  await harness.restart();
  assert.equal([harness.store.names('n/'), harness.store.names('old')], [[], ['old']]);
  harness.store.put('old', undefined, ignore);
  await harness.pass(5_000);
  await harness.restart();
  assert.equal(harness.store.names(''), ['mark']);
  await harness.finish();
});

metadata('metadata with any characters in their names are found by a prefix', async () => {
  const harness = await createStoreHarness();
  const names = ['p/\u0001'.padEnd(100, '\u0004'), 'p/\u{10ffff}x', 'p/ü', 'p0', 'q'];
  for (const name of names) harness.store.put(name, Buffer.from(name), ignore);
  await harness.restart();
  assert.equal(harness.store.names('p/'), names.slice(0, 3).toSorted());
  for (const name of names) assert.is(harness.store.get(name)?.toString(), name);
  await harness.finish();
});

durableFirst('a receiver with durableFirst receives only committed messages', async () => {
  const harness = await createStoreHarness();
  const sent: QueueEntry[] = [];
  let durable = 0;
  const append = (text: string): void => harness.store.append(messageOf(text), [to('q')], () => durable++);
  append('before');
  const drain = harness.store.drain('q', {
    window: 9,
    durableFirst: true,
    send: entry => sent.push(entry) > 0,
  });
  drain.wake();
  append('behind');
  assert.equal([texts(sent), durable], [[], 0]);
  await harness.commit();
  assert.equal([texts(sent), durable], [['before', 'behind'], 2]);
  drain.stop();
  await harness.finish();
});

durableFirst.run();
metadata.run();
