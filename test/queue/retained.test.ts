import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOCAL_CLIENTS } from '../../src/core/capacity/shares.ts';
import { Failure } from '../../src/core/errors.ts';
import { MAX_RETAINED, MAX_RETAINED_BYTES } from '../../src/core/limits.ts';
import type { Message } from '../../src/core/message.ts';
import { COMMIT_WINDOW_MS } from '../../src/manifest/limits.ts';
import { openDatabase } from '../../src/queue/disk/database.ts';
import { COMMIT_RETRY_MS, JOURNAL_BYTES, MAX_RETAINED_TOPIC_BYTES } from '../../src/queue/limits.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf } from '../harness/queue.ts';

// A write beyond the limit on the size of files fails, but for this signal, which would end the process.
process.on('SIGXFSZ', () => {});

function on(topic: string, text: string, ttl?: number): Message {
  return { ...messageOf(text, ttl), topic, retain: true };
}

/** Keeps a message, and resolves to the code of the failure if there was one. */
async function keep(
  stage: StoreHarness,
  message: Message,
  holder: string = LOCAL_CLIENTS,
): Promise<string | undefined> {
  let code: string | undefined = 'unsettled';
  stage.store.retained.set(message, holder, error => {
    code = error instanceof Failure ? error.code : undefined;
  });
  stage.clock.advance(COMMIT_WINDOW_MS);
  while (code === 'unsettled') {
    await new Promise(resolve => setImmediate(resolve));
    stage.clock.advance(0);
  }
  return code;
}

function textOn(stage: StoreHarness, topic: string): string | undefined {
  return stage.store.retained.get(topic)?.message.body.toString();
}

const retained = suite('queue: retained messages');

retained('the last message of a topic is kept, with all it carried, over a restart', async () => {
  const stage = await createStoreHarness();
  const message: Message = {
    ...on('a/1', 'new'),
    properties: ['unit', 'C'],
    contentType: 'text/plain',
    correlation: Buffer.from([0, 255]),
  };
  assert.is(await keep(stage, on('a/2', 'other')), undefined);
  assert.is(await keep(stage, on('a/1', 'old')), undefined);
  stage.store.retained.set(message, LOCAL_CLIENTS, () => {});
  for (let restarts = 0; restarts < 3; restarts++) {
    assert.equal(stage.store.retained.get('a/1'), {
      message: { ...message, retained: true },
      remaining: undefined,
    });
    assert.equal(stage.store.retained.topics(''), ['a/1', 'a/2']);
    assert.is(stage.store.retained.count(), 2);
    await stage.restart();
  }
  await stage.finish();
});

retained('it is settled by its commit, and an empty one takes it away', async () => {
  const stage = await createStoreHarness();
  let settled = 0;
  stage.store.retained.set(on('a', 'x'), LOCAL_CLIENTS, () => settled++);
  assert.is(settled, 0);
  await stage.commit();
  assert.is(settled, 1);
  assert.is(await keep(stage, on('a', '')), undefined);
  assert.is(await keep(stage, on('never there', '')), undefined);
  for (let restarts = 0; restarts < 2; restarts++) {
    const { get, topics, count, bytes } = stage.store.retained;
    assert.equal([get('a'), topics(''), count(), bytes()], [undefined, [], 0, 0]);
    await stage.restart();
  }
  assert.equal(stage.store.names('retained/'), []);
  await stage.finish();
});

retained('topics are found by their beginning, in order, whatever characters they have', async () => {
  const stage = await createStoreHarness();
  const topics = ['b/2', 'b', 'b/1', 'a', 'b/\u0001'.padEnd(90, '\u0002'), 'b/ä/\u{1f600}', '/'];
  for (const topic of topics) stage.store.retained.set(on(topic, topic), LOCAL_CLIENTS, () => {});
  await stage.restart();
  assert.equal(stage.store.retained.topics(''), topics.toSorted());
  assert.equal(stage.store.retained.topics('b/'), topics.filter(topic => topic.startsWith('b/')).toSorted());
  for (const topic of topics) assert.is(textOn(stage, topic), topic);
  await stage.finish();
});

retained(
  'its time is hub time: it goes on over restarts, and a wall clock that jumps does nothing',
  async () => {
    const stage = await createStoreHarness();
    await keep(stage, on('short', 'x', 100_000));
    await keep(stage, on('long', 'x', 300_000));
    await stage.pass(70_000);
    const before = stage.store.retained.get('short')?.remaining ?? 0;
    assert.ok(before > 0 && before <= 30_000, `${before} ms`);
    await stage.restart(1e12);
    const { get, topics } = stage.store.retained;
    assert.is(get('short')?.remaining, before);
    stage.clock.advance(before - 1);
    assert.equal([get('short')?.remaining, topics('')], [1, ['long', 'short']]);
    stage.clock.advance(1);
    assert.equal([get('short'), topics('')], [undefined, ['long']]);
    await stage.finish();
  },
);

retained('what has expired gives its space back, in bounded steps', async () => {
  const COUNT = 5_000;
  const stage = await createStoreHarness();
  await keep(stage, on('stays', 'x'));
  await stage.pass(5_000);
  const { usedBytes: used } = stage.store.health();
  for (let n = 0; n < COUNT; n++) {
    stage.store.retained.set(on(`t/${n}`, 'x'.repeat(500), 30_000), LOCAL_CLIENTS, () => {});
    if (n % 500 === 499) await stage.commit();
  }
  await stage.pass(20_000);
  await stage.restart();
  assert.is(stage.store.retained.count(), COUNT + 1);
  assert.ok(stage.store.health().usedBytes > used + 500 * COUNT);
  await stage.pass(30_000);
  assert.equal([stage.store.retained.count(), stage.store.names('retained/').length], [1, 1]);
  // The journals keep what they have grown by. How many checkpoints the disk has had time for is its own
  // affair.
  const given = (): boolean => stage.store.health().usedBytes < used + 2 * JOURNAL_BYTES;
  for (let more = 0; more < 20 && !given(); more++) await stage.pass(5_000);
  assert.ok(given(), `${stage.store.health().usedBytes} of ${used}`);
  await stage.restart();
  assert.equal(stage.store.retained.topics(''), ['stays']);
  await stage.finish();
});

const bounds = suite('queue: bounds of retained messages');

bounds(
  'their number: one more is refused until one is taken away, and a known topic is always taken',
  async () => {
    const stage = await createStoreHarness();
    for (let n = 0; n < MAX_RETAINED; n++)
      stage.store.retained.set(on(`t/${n}`, 'x'), LOCAL_CLIENTS, () => {});
    assert.is(await keep(stage, on('more', 'x')), 'store.full');
    assert.match(
      stage.warnings[0] ?? '',
      /10000 of 10000 retained messages are in use, most of them \(10000\) by clients of this machine/,
    );
    assert.is(stage.store.health().state, 'working');
    assert.is(await keep(stage, on('t/7', 'y')), undefined);
    assert.is(await keep(stage, on('t/8', '')), undefined);
    assert.is(await keep(stage, on('more', 'x')), undefined);
    await stage.restart();
    assert.is(stage.store.retained.count(), MAX_RETAINED);
    assert.is(textOn(stage, 't/7'), 'y');
    await stage.finish();
  },
);

bounds(
  'a user may have half of them, the next one half of the rest, and a module still finds room',
  async () => {
    const stage = await createStoreHarness();
    const HALF = MAX_RETAINED / 2;
    for (let n = 0; n < HALF; n++) stage.store.retained.set(on(`a/${n}`, 'x'), 'user:a', () => {});
    assert.is(await keep(stage, on('a/more', 'x'), 'user:a'), 'store.full');
    assert.match(
      stage.warnings[0] ?? '',
      /most of them \(5000\) by user "a"; user "a" may have 5000 and has 5000/,
    );
    for (let n = 0; n < HALF; n++) stage.store.retained.set(on(`b/${n}`, 'x'), 'user:b', () => {});
    assert.is(await keep(stage, on('m', 'x'), 'module:m'), undefined);
    for (let restarts = 0; restarts < 2; restarts++) {
      assert.is(stage.store.retained.count(), HALF + HALF / 2 + 1);
      assert.is(await keep(stage, on('a/more', 'x'), 'user:a'), 'store.full');
      // By now it has more than its part, and may replace what it has.
      assert.is(await keep(stage, on('a/1', `a${restarts}`), 'user:a'), undefined);
      // A message in place of another's takes over its place.
      assert.is(await keep(stage, on('a/0', `c${restarts}`), 'user:c'), undefined);
      await stage.restart();
    }
    const entry = stage.store.retained.list().find(({ topic }) => topic === 'm');
    assert.equal([entry?.holder, entry?.remaining], ['module:m', undefined]);
    assert.ok((entry?.age ?? -1) >= 0);
    await stage.finish();
  },
);

bounds('their bytes, of what is kept and not of what it replaced', async () => {
  const stage = await createStoreHarness();
  const large = 'x'.repeat(1 << 20);
  let kept = 0;
  while ((await keep(stage, on(`t/${kept}`, large))) === undefined) kept++;
  assert.is(kept, (MAX_RETAINED_BYTES >> 20) - 1);
  const { bytes } = stage.store.retained;
  assert.ok(bytes() > kept << 20 && bytes() < MAX_RETAINED_BYTES);
  for (let round = 0; round < 3; round++) assert.is(await keep(stage, on('t/0', large)), undefined);
  await keep(stage, on('t/1', ''));
  assert.is(await keep(stage, on('more', large)), undefined);
  const before = bytes();
  await stage.restart();
  assert.is(stage.store.retained.bytes(), before);
  await stage.finish();
});

bounds('what the store as a whole may take, and the length of a topic', async () => {
  const stage = await createStoreHarness({ maxSize: 8 << 20 });
  const longest = 'ü'.repeat(MAX_RETAINED_TOPIC_BYTES / 2);
  // First of all: how much is left beside large ones depends on when the store gives space back.
  assert.is(await keep(stage, on(longest, 'x')), undefined);
  assert.is(await keep(stage, on(`${longest}xx`, 'x')), 'store.full');
  const large = 'x'.repeat(1 << 20);
  let kept = 0;
  while ((await keep(stage, on(`t/${kept}`, large))) === undefined) kept++;
  assert.ok(kept > 1 && kept < 8, `${kept}`);
  await stage.restart();
  assert.is(textOn(stage, longest), 'x');
  assert.is(stage.store.retained.count(), kept + 1);
  await stage.finish();
});

const faults = suite('queue: faults of retained messages');

faults('a damaged one is left out, and said once; the others are there', async () => {
  const stage = await createStoreHarness();
  for (const topic of ['value', 'record', 'whole']) await keep(stage, on(topic, 'x'));
  await stage.store.close();
  const database = await openDatabase(stage.folder);
  const record = Buffer.from(database.metadata('retained/record') ?? '');
  record.writeUInt8(0x79, record.lastIndexOf('x'));
  await database.write(writer => {
    writer.putMetadata('retained/value', Buffer.from([0xff, 0xff]));
    writer.putMetadata('retained/record', record);
  });
  await database.close();
  for (let restarts = 0; restarts < 2; restarts++) {
    await stage.reopen();
    for (const topic of ['value', 'record']) assert.is(stage.store.retained.get(topic), undefined);
    assert.equal([stage.store.retained.topics(''), textOn(stage, 'whole')], [['whole'], 'x']);
    await stage.store.close();
  }
  assert.is(stage.errors.length, 2);
  assert.match(stage.errors.join(), /The retained message of "record" is damaged/);
  await stage.reopen();
  await stage.finish();
});

faults('what cannot be written leaves the one before it as it was', async () => {
  const stage = await createStoreHarness();
  await keep(stage, on('a', 'old'));
  const limit = (bytes: string) =>
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  const before = stage.store.retained.bytes();
  limit('0');
  try {
    for (const message of [on('a', 'new and longer'), on('a', ''), on('b', 'x')]) {
      stage.clock.advance(COMMIT_RETRY_MS);
      assert.is(await keep(stage, message), 'store.write');
      const { topics, bytes } = stage.store.retained;
      assert.equal([topics(''), textOn(stage, 'a'), bytes()], [['a'], 'old', before]);
    }
  } finally {
    limit('unlimited');
  }
  await stage.pass(5_000);
  await stage.restart();
  assert.equal([stage.store.retained.topics(''), textOn(stage, 'a')], [['a'], 'old']);
  await stage.finish();
});

retained.run();
bounds.run();
faults.run();
