import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { MAX_NAME_BYTES } from '../../src/queue/limits.ts';
import type { Drain, MetadataEntry, QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

// A write beyond the limit on the size of files fails, but for this signal, which would end the process.
process.on('SIGXFSZ', () => {});

function note(name: string, text = 'x'): MetadataEntry {
  return { name, value: Buffer.from(text) };
}

/** A receiver of queue `a` that takes everything. */
function receive(stage: StoreHarness): { readonly sent: QueueEntry[]; readonly drain: Drain } {
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window: 100, send: entry => sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain };
}

const nobody = (): void => {};

const firm = suite('queue: firm messages');

firm('a message and its note are there after a restart, and settled by one commit', async () => {
  const stage = await createStoreHarness();
  const { commits } = stage.store.counts();
  const events: string[] = [];
  stage.store.append(messageOf('1'), [to('a')], error => events.push(`1 ${error}`), note('n', '1'));
  stage.store.append(messageOf('2'), [to('b')], error => events.push(`2 ${error}`), note('n', '2'));
  assert.equal(events, []);
  await stage.commit();
  assert.equal(events, ['1 undefined', '2 undefined']);
  assert.is(stage.store.counts().commits, commits + 1);
  await stage.restart();
  assert.equal([texts(stage.peek('a')), texts(stage.peek('b'))], [['1'], ['2']]);
  assert.is(stage.store.get('n')?.toString(), '2');
  await stage.finish();
});

firm('nobody is offered it before its commit, nor what is behind it; other priorities go on', async () => {
  const stage = await createStoreHarness();
  const { sent, drain } = receive(stage);
  stage.store.append(messageOf('before'), [to('a')], nobody);
  stage.store.append(messageOf('firm'), [to('a')], nobody, note('n'));
  stage.store.append(messageOf('behind'), [to('a')], nobody);
  stage.store.append(messageOf('urgent'), [to('a', 0)], nobody);
  drain.wake();
  assert.equal(texts(sent), ['before', 'urgent']);
  assert.equal(texts(stage.peek('b')), []);
  await stage.commit();
  assert.equal(texts(sent), ['before', 'urgent', 'firm', 'behind']);
  for (const entry of sent) drain.acknowledge(entry);
  assert.is(stage.store.counts().spared, 1);
  drain.stop();
  assert.is(await stage.finish(), 0);
});

firm('it is not spared, though its receiver takes what is with it before the commit', async () => {
  const stage = await createStoreHarness();
  const drain: Drain = stage.store.drain('a', {
    window: 10,
    send: entry => {
      drain.acknowledge(entry);
      return true;
    },
  });
  drain.wake();
  stage.store.append(messageOf('1'), [to('a')], nobody);
  assert.is(await settle(stage, [to('a')]), undefined);
  assert.is(stage.store.counts().spared, 1);
  assert.is(stage.store.counts().acknowledged, 2);
  drain.stop();
  await stage.restart();
  assert.equal(stage.store.names('n'), ['n']);
  assert.is(await stage.finish(), 0);
});

/** Appends a firm message with the note `n`, and lets it be committed. */
async function settle(
  stage: StoreHarness,
  destinations: Parameters<StoreHarness['append']>[1],
  name = 'n',
): Promise<string | undefined> {
  let code: string | undefined = 'unsettled';
  const told = (error?: Error): void => {
    code = error instanceof Failure ? error.code : undefined;
  };
  stage.store.append(messageOf('firm'), destinations, told, note(name));
  while (code === 'unsettled') {
    stage.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
  return code;
}

firm('for no queue it is its note alone; the last call under a name counts', async () => {
  const stage = await createStoreHarness();
  assert.is(await settle(stage, []), undefined);
  assert.is(stage.store.get('n')?.toString(), 'x');
  stage.store.append(messageOf('1'), [to('a')], nobody, note('n', 'y'));
  stage.store.put('n', undefined, nobody);
  stage.store.put('m', undefined, nobody);
  stage.store.append(messageOf('2'), [to('a')], nobody, note('m', 'z'));
  assert.equal([stage.store.get('n'), stage.store.get('m')?.toString()], [undefined, 'z']);
  await stage.restart();
  assert.equal([stage.store.get('n'), stage.store.get('m')?.toString()], [undefined, 'z']);
  assert.equal(stage.deliver('a'), ['1', '2']);
  assert.is(await stage.finish(), 0);
});

firm('a run that fails leaves neither message nor note, and what was behind it goes on', async () => {
  const stage = await createStoreHarness();
  const { sent, drain } = receive(stage);
  const limit = (bytes: string) =>
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  limit('0');
  try {
    const settled = settle(stage, [to('a')]);
    await new Promise(resolve => setImmediate(resolve));
    assert.is(stage.store.get('n')?.toString(), 'x');
    stage.store.append(messageOf('behind'), [to('a')], nobody);
    assert.is(await settled, 'store.write');
    assert.equal([stage.store.get('n'), stage.store.names('')], [undefined, []]);
  } finally {
    limit('unlimited');
  }
  assert.equal(texts(sent), ['behind']);
  drain.stop();
  await stage.pass(5_000);
  await stage.restart();
  assert.is(stage.store.get('n'), undefined);
  await stage.finish();
});

firm('what is refused leaves no note: no room, or a name that is too long', async () => {
  const stage = await createStoreHarness({ boundOf: () => ({ maxSize: 10, whenFull: 'reject' }) });
  assert.is(await settle(stage, [to('a')]), 'store.full');
  const long = 'n'.repeat(MAX_NAME_BYTES + 1);
  assert.is(await settle(stage, [], long), 'store.write');
  assert.equal(stage.store.names('n'), []);
  const longest = 'ö'.repeat(MAX_NAME_BYTES / 2);
  assert.is(await settle(stage, [], longest), undefined);
  await stage.restart();
  assert.equal(stage.store.names('ö'), [longest]);
  await stage.finish();
});

firm(
  'one that is dropped before its commit is settled by it, and lets through what is behind it',
  async () => {
    const stage = await createStoreHarness();
    const { sent, drain } = receive(stage);
    let settled = false;
    const told = (): void => {
      settled = true;
    };
    stage.store.append(messageOf('firm'), [to('a')], told, note('n'));
    stage.store.append(messageOf('behind'), [to('a')], nobody);
    const [first] = stage.store.peek('a', 1);
    stage.store.drop('a', first?.sequence ?? 0, nobody);
    assert.not(settled);
    await stage.commit();
    assert.ok(settled);
    assert.equal(texts(sent), ['behind']);
    assert.is(stage.store.get('n')?.toString(), 'x');
    drain.stop();
    await stage.finish();
  },
);

firm('an entry has the same number after restarts, from the journal and from LMDB', async () => {
  const stage = await createStoreHarness();
  const numbers = () => stage.store.peek('a', 100).map(({ sequence }) => sequence);
  for (let n = 0; n < 40; n++) stage.store.append(messageOf(String(n)), [to('a')], nobody, note(`n${n}`));
  await stage.commit();
  const before = numbers();
  assert.is(new Set(before).size, 40);
  for (let restart = 0; restart < 3; restart++) {
    await stage.restart();
    assert.equal(numbers(), before);
  }
  await settle(stage, [to('a')]);
  assert.ok((numbers().at(-1) ?? 0) > Math.max(...before));
  await stage.finish();
});

const notes = suite('queue: notes');

notes('what is taken back is gone, before a checkpoint and after it; the rest stays', async () => {
  const stage = await createStoreHarness();
  stage.store.put('old', Buffer.from('x'), nobody);
  await stage.restart();
  for (let n = 0; n < 100; n++) {
    stage.store.append(messageOf('x'), [], nobody, note(`n/${n}`));
    await stage.commit();
    stage.store.put(`n/${n}`, undefined, nobody);
    await stage.commit();
  }
  await stage.commit();
  assert.equal([stage.store.names('n/'), stage.store.names('old')], [[], ['old']]);
  await stage.restart();
  assert.equal([stage.store.names('n/'), stage.store.names('old')], [[], ['old']]);
  stage.store.put('old', undefined, nobody);
  await stage.pass(5_000);
  await stage.restart();
  assert.equal(stage.store.names(''), ['mark']);
  await stage.finish();
});

notes('names hold any characters, and are found by their beginning', async () => {
  const stage = await createStoreHarness();
  const names = ['p/\u0001'.padEnd(100, '\u0004'), 'p/\u{10ffff}x', 'p/ü', 'p0', 'q'];
  for (const name of names) stage.store.put(name, Buffer.from(name), nobody);
  await stage.restart();
  assert.equal(stage.store.names('p/'), names.slice(0, 3).toSorted());
  for (const name of names) assert.is(stage.store.get(name)?.toString(), name);
  await stage.finish();
});

firm('a receiver that knows messages by their sequences is offered what is on disk alone', async () => {
  const stage = await createStoreHarness();
  const sent: QueueEntry[] = [];
  let settled = 0;
  const append = (text: string): void => stage.store.append(messageOf(text), [to('q')], () => settled++);
  append('before');
  const drain = stage.store.drain('q', {
    window: 9,
    durableFirst: true,
    send: entry => sent.push(entry) > 0,
  });
  drain.wake();
  append('behind');
  assert.equal([texts(sent), settled], [[], 0]);
  await stage.commit();
  assert.equal([texts(sent), settled], [['before', 'behind'], 2]);
  drain.stop();
  await stage.finish();
});

firm.run();
notes.run();
