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

// Without a handler, SIGXFSZ would end the process when a write exceeds the limit of file sizes.
process.on('SIGXFSZ', () => {});

function on(topic: string, text: string, ttl?: number): Message {
  return { ...messageOf(text, ttl), topic, retain: true };
}

/** Stores a retained message. Resolves to the code of the error, or undefined. */
async function retain(
  harness: StoreHarness,
  message: Message,
  holder: string = LOCAL_CLIENTS,
): Promise<string | undefined> {
  let code: string | undefined = 'pending';
  harness.store.retained.set(message, holder, error => {
    code = error instanceof Failure ? error.code : undefined;
  });
  harness.clock.advance(COMMIT_WINDOW_MS);
  while (code === 'pending') {
    await new Promise(resolve => setImmediate(resolve));
    harness.clock.advance(0);
  }
  return code;
}

function textOn(harness: StoreHarness, topic: string): string | undefined {
  return harness.store.retained.get(topic)?.message.body.toString();
}

const retained = suite('queue: retained messages');

retained(
  'the last retained message of a topic is stored with all its properties over a restart',
  async () => {
    const harness = await createStoreHarness();
    const message: Message = {
      ...on('a/1', 'new'),
      properties: ['unit', 'C'],
      contentType: 'text/plain',
      correlation: Buffer.from([0, 255]),
    };
    assert.is(await retain(harness, on('a/2', 'other')), undefined);
    assert.is(await retain(harness, on('a/1', 'old')), undefined);
    harness.store.retained.set(message, LOCAL_CLIENTS, () => {});
    for (let restarts = 0; restarts < 3; restarts++) {
      assert.equal(harness.store.retained.get('a/1'), {
        message: { ...message, retained: true },
        remaining: undefined,
      });
      assert.equal(harness.store.retained.topics(''), ['a/1', 'a/2']);
      assert.is(harness.store.retained.count(), 2);
      await harness.restart();
    }
    await harness.finish();
  },
);

retained('a retained message is reported as durable after its commit', async () => {
  const harness = await createStoreHarness();
  let durable = 0;
  harness.store.retained.set(on('a', 'x'), LOCAL_CLIENTS, () => durable++);
  assert.is(durable, 0);
  await harness.commit();
  assert.is(durable, 1);
  assert.is(await retain(harness, on('a', '')), undefined);
  assert.is(await retain(harness, on('never there', '')), undefined);
  for (let restarts = 0; restarts < 2; restarts++) {
    const { get, topics, count, bytes } = harness.store.retained;
    assert.equal([get('a'), topics(''), count(), bytes()], [undefined, [], 0, 0]);
    await harness.restart();
  }
  assert.equal(harness.store.names('retained/'), []);
  await harness.finish();
});

retained(
  'retained messages with any characters in their topics are found by a prefix, in order',
  async () => {
    const harness = await createStoreHarness();
    const topics = ['b/2', 'b', 'b/1', 'a', 'b/\u0001'.padEnd(90, '\u0002'), 'b/ä/\u{1f600}', '/'];
    for (const topic of topics) harness.store.retained.set(on(topic, topic), LOCAL_CLIENTS, () => {});
    await harness.restart();
    assert.equal(harness.store.retained.topics(''), topics.toSorted());
    assert.equal(
      harness.store.retained.topics('b/'),
      topics.filter(topic => topic.startsWith('b/')).toSorted(),
    );
    for (const topic of topics) assert.is(textOn(harness, topic), topic);
    await harness.finish();
  },
);

retained(
  'a retained message expires by hub time, which continues over restarts and ignores the wall clock',
  async () => {
    const harness = await createStoreHarness();
    await retain(harness, on('short', 'x', 100_000));
    await retain(harness, on('long', 'x', 300_000));
    await harness.pass(70_000);
    const before = harness.store.retained.get('short')?.remaining ?? 0;
    assert.ok(before > 0 && before <= 30_000, `${before} ms`);
    await harness.restart(1e12);
    const { get, topics } = harness.store.retained;
    assert.is(get('short')?.remaining, before);
    harness.clock.advance(before - 1);
    assert.equal([get('short')?.remaining, topics('')], [1, ['long', 'short']]);
    harness.clock.advance(1);
    assert.equal([get('short'), topics('')], [undefined, ['long']]);
    await harness.finish();
  },
);

retained('the disk space of expired retained messages is freed in steps of limited size', async () => {
  const COUNT = 5_000;
  const harness = await createStoreHarness();
  await retain(harness, on('stays', 'x'));
  await harness.pass(5_000);
  const { usedBytes: used } = harness.store.health();
  for (let n = 0; n < COUNT; n++) {
    harness.store.retained.set(on(`t/${n}`, 'x'.repeat(500), 30_000), LOCAL_CLIENTS, () => {});
    if (n % 500 === 499) await harness.commit();
  }
  await harness.pass(20_000);
  await harness.restart();
  assert.is(harness.store.retained.count(), COUNT + 1);
  assert.ok(harness.store.health().usedBytes > used + 500 * COUNT);
  await harness.pass(30_000);
  assert.equal([harness.store.retained.count(), harness.store.names('retained/').length], [1, 1]);
  // The journals do not shrink. The number of checkpoints depends on the speed of the disk.
  const given = (): boolean => harness.store.health().usedBytes < used + 2 * JOURNAL_BYTES;
  for (let more = 0; more < 20 && !given(); more++) await harness.pass(5_000);
  assert.ok(given(), `${harness.store.health().usedBytes} of ${used}`);
  await harness.restart();
  assert.equal(harness.store.retained.topics(''), ['stays']);
  await harness.finish();
});

const bounds = suite('queue: limits of retained messages');

bounds(
  'a new retained message above MAX_RETAINED is refused until a retained message is deleted',
  async () => {
    const harness = await createStoreHarness();
    for (let n = 0; n < MAX_RETAINED; n++)
      harness.store.retained.set(on(`t/${n}`, 'x'), LOCAL_CLIENTS, () => {});
    assert.is(await retain(harness, on('more', 'x')), 'store.full');
    assert.match(
      harness.warnings[0] ?? '',
      /10000 of 10000 retained messages are in use, most of them \(10000\) by clients of this machine/,
    );
    assert.is(harness.store.health().state, 'working');
    assert.is(await retain(harness, on('t/7', 'y')), undefined);
    assert.is(await retain(harness, on('t/8', '')), undefined);
    assert.is(await retain(harness, on('more', 'x')), undefined);
    await harness.restart();
    assert.is(harness.store.retained.count(), MAX_RETAINED);
    assert.is(textOn(harness, 't/7'), 'y');
    await harness.finish();
  },
);

bounds(
  'a user can own at most half of the retained messages that the other users leave within the maximum',
  async () => {
    const harness = await createStoreHarness();
    const HALF = MAX_RETAINED / 2;
    for (let n = 0; n < HALF; n++) harness.store.retained.set(on(`a/${n}`, 'x'), 'user:a', () => {});
    assert.is(await retain(harness, on('a/more', 'x'), 'user:a'), 'store.full');
    assert.match(
      harness.warnings[0] ?? '',
      /most of them \(5000\) by user "a"; user "a" may have 5000 and has 5000/,
    );
    for (let n = 0; n < HALF; n++) harness.store.retained.set(on(`b/${n}`, 'x'), 'user:b', () => {});
    assert.is(await retain(harness, on('m', 'x'), 'module:m'), undefined);
    for (let restarts = 0; restarts < 2; restarts++) {
      assert.is(harness.store.retained.count(), HALF + HALF / 2 + 1);
      assert.is(await retain(harness, on('a/more', 'x'), 'user:a'), 'store.full');
      // The user has more than its share, and may still replace its own messages.
      assert.is(await retain(harness, on('a/1', `a${restarts}`), 'user:a'), undefined);
      // A message that replaces one of another user takes over its place.
      assert.is(await retain(harness, on('a/0', `c${restarts}`), 'user:c'), undefined);
      await harness.restart();
    }
    const entry = harness.store.retained.list().find(({ topic }) => topic === 'm');
    assert.equal([entry?.holder, entry?.remaining], ['module:m', undefined]);
    assert.ok((entry?.age ?? -1) >= 0);
    await harness.finish();
  },
);

bounds('a retained message above the total of MAX_RETAINED_BYTES is refused', async () => {
  const harness = await createStoreHarness();
  const large = 'x'.repeat(1 << 20);
  let kept = 0;
  while ((await retain(harness, on(`t/${kept}`, large))) === undefined) kept++;
  assert.is(kept, (MAX_RETAINED_BYTES >> 20) - 1);
  const { bytes } = harness.store.retained;
  assert.ok(bytes() > kept << 20 && bytes() < MAX_RETAINED_BYTES);
  for (let round = 0; round < 3; round++) assert.is(await retain(harness, on('t/0', large)), undefined);
  await retain(harness, on('t/1', ''));
  assert.is(await retain(harness, on('more', large)), undefined);
  const before = bytes();
  await harness.restart();
  assert.is(harness.store.retained.bytes(), before);
  await harness.finish();
});

bounds('a retained message is refused if the store is full or its topic is too long', async () => {
  const harness = await createStoreHarness({ maxSize: 8 << 20 });
  const longest = 'ü'.repeat(MAX_RETAINED_TOPIC_BYTES / 2);
  // Stored first, because the space beside large messages depends on when the store frees space.
  assert.is(await retain(harness, on(longest, 'x')), undefined);
  assert.is(await retain(harness, on(`${longest}xx`, 'x')), 'store.full');
  const large = 'x'.repeat(1 << 20);
  let kept = 0;
  while ((await retain(harness, on(`t/${kept}`, large))) === undefined) kept++;
  assert.ok(kept > 1 && kept < 8, `${kept}`);
  await harness.restart();
  assert.is(textOn(harness, longest), 'x');
  assert.is(harness.store.retained.count(), kept + 1);
  await harness.finish();
});

const faults = suite('queue: damaged retained messages');

faults('a damaged retained message is skipped and logged once, and all others are read', async () => {
  const harness = await createStoreHarness();
  for (const topic of ['value', 'record', 'whole']) await retain(harness, on(topic, 'x'));
  await harness.store.close();
  const database = await openDatabase(harness.folder);
  const record = Buffer.from(database.metadata('retained/record') ?? '');
  record.writeUInt8(0x79, record.lastIndexOf('x'));
  await database.write(writer => {
    writer.putMetadata('retained/value', Buffer.from([0xff, 0xff]));
    writer.putMetadata('retained/record', record);
  });
  await database.close();
  for (let restarts = 0; restarts < 2; restarts++) {
    await harness.reopen();
    for (const topic of ['value', 'record']) assert.is(harness.store.retained.get(topic), undefined);
    assert.equal([harness.store.retained.topics(''), textOn(harness, 'whole')], [['whole'], 'x']);
    await harness.store.close();
  }
  assert.is(harness.errors.length, 2);
  assert.match(harness.errors.join(), /The retained message of "record" is damaged/);
  await harness.reopen();
  await harness.finish();
});

faults('a retained message that cannot be written does not change the previous message', async () => {
  const harness = await createStoreHarness();
  await retain(harness, on('a', 'old'));
  const limit = (bytes: string) =>
    spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  const before = harness.store.retained.bytes();
  limit('0');
  try {
    for (const message of [on('a', 'new and longer'), on('a', ''), on('b', 'x')]) {
      harness.clock.advance(COMMIT_RETRY_MS);
      assert.is(await retain(harness, message), 'store.write');
      const { topics, bytes } = harness.store.retained;
      assert.equal([topics(''), textOn(harness, 'a'), bytes()], [['a'], 'old', before]);
    }
  } finally {
    limit('unlimited');
  }
  await harness.pass(5_000);
  await harness.restart();
  assert.equal([harness.store.retained.topics(''), textOn(harness, 'a')], [['a'], 'old']);
  await harness.finish();
});

retained.run();
bounds.run();
faults.run();
