import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { createDeadLetters } from '../../../src/queue/delivery/dead-letters.ts';
import { queueState } from '../../../src/queue/entries/queue-state.ts';
import { removedDamagedEntry } from '../../../src/queue/entries/removed-entry.ts';
import {
  MAX_ATTEMPTS,
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  SWEEP_INTERVAL_MS,
} from '../../../src/queue/limits.ts';
import type { QueueEntry } from '../../../src/queue/types.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../../harness/queue.ts';

/** Starts a consumer of queue `a` that accepts every entry. Returns the sent entries, too. */
function consume(harness: StoreHarness, window = 10) {
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain('a', { window, send: entry => sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain };
}

/** Appends messages to a queue and rejects each of them. */
async function reject(harness: StoreHarness, queue: string, bodies: readonly string[]): Promise<void> {
  const sent: QueueEntry[] = [];
  const window = bodies.length;
  const drain = harness.store.drain(queue, { window, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const body of bodies) harness.store.append(messageOf(body), [to(queue)], () => {});
  assert.is(sent.length, window);
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  await harness.commit();
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

/** Returns the bodies of the dead letters of a queue. */
function bodiesOf(harness: StoreHarness, queue: string): string[] {
  return letters(harness).flatMap(([of, , body]) => (of === queue ? [body ?? ''] : []));
}

function assignShare(harness: StoreHarness, holder: string, queues: readonly string[]): void {
  for (const queue of queues)
    harness.store.assignShare(queue, { holder, add: () => {}, available: () => Number.MAX_SAFE_INTEGER });
}

function letters(harness: StoreHarness) {
  return harness.store.deadLetters
    .list()
    .map(({ queue, reason, message }) => [queue, reason, message?.body.toString()]);
}

/** Resolves to the error of a request about a dead letter. */
async function errorOf(
  harness: StoreHarness,
  begin: (settle: (error?: Error) => void) => void,
): Promise<Error | undefined> {
  let error: Error | undefined;
  begin(failure => {
    error = failure;
  });
  await harness.commit();
  return error;
}

const dead = suite('queue: dead letters');

dead(
  'a message that its receiver rejects becomes a dead letter with the reason, also after a restart',
  async () => {
    const harness = await createStoreHarness();
    for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a', 3)]);
    await harness.restart();
    const { sent, drain } = consume(harness);
    const [first, second] = sent;
    if (first !== undefined) drain.reject(first, 'it is too large');
    if (second !== undefined) drain.acknowledge(second);
    drain.stop();
    await harness.commit();
    assert.is(harness.store.counts().dead, 1);
    for (let restarts = 0; restarts < 2; restarts++) {
      assert.equal(letters(harness), [['a', 'it is too large', '1']]);
      assert.equal(texts(harness.peek('a')), ['3']);
      await harness.restart();
    }
    await harness.finish();
  },
);

dead('a message that is rejected before its commit becomes a dead letter', async () => {
  const harness = await createStoreHarness();
  let acknowledged = false;
  const { sent, drain } = consume(harness);
  harness.store.append(messageOf('x'), [to('a')], error => {
    acknowledged = error === undefined;
  });
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  assert.not(acknowledged);
  await harness.commit();
  assert.ok(acknowledged);
  await harness.restart();
  assert.equal(letters(harness), [['a', 'no', 'x']]);
  assert.is(await harness.finish(), 0);
});

dead(
  'a failed message is sent again before later messages, and becomes a dead letter after MAX_ATTEMPTS',
  async () => {
    const harness = await createStoreHarness();
    for (const text of ['1', '2']) await harness.append(messageOf(text), [to('a')]);
    const { sent, drain } = consume(harness, 1);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const [entry] = sent.splice(0);
      assert.equal(entry?.message.body.toString(), '1');
      assert.is(entry?.redelivered, attempt > 1);
      if (entry !== undefined) drain.retry(entry, 'the line is noisy');
      drain.wake();
    }
    assert.equal(texts(sent), ['2']);
    drain.stop();
    assert.equal(letters(harness), [['a', `the line is noisy (after ${MAX_ATTEMPTS} attempts)`, '1']]);
    await harness.finish();
  },
);

dead(
  'a message in several queues that one receiver rejects is delivered to all other receivers',
  async () => {
    const harness = await createStoreHarness();
    await harness.append(messageOf('x'), [to('a'), to('b')]);
    const { sent, drain } = consume(harness);
    for (const entry of sent) drain.reject(entry, 'no');
    drain.stop();
    await harness.restart();
    assert.equal(harness.deliver('b'), ['x']);
    assert.equal(letters(harness), [['a', 'no', 'x']]);
    assert.is(await harness.finish(), 0);
  },
);

dead('a dead letter that is replayed is appended to its original queue', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', '2', '3']) await harness.append(messageOf(text), [to('a')]);
  const { sent, drain } = consume(harness);
  for (const entry of sent.slice(0, 2)) drain.reject(entry, 'no');
  drain.stop();
  await harness.commit();
  const [one, two] = harness.store.deadLetters.list();
  assert.is(
    await errorOf(harness, settle => harness.store.deadLetters.replay(one?.id ?? '', settle)),
    undefined,
  );
  assert.is(
    await errorOf(harness, settle => harness.store.deadLetters.drop(two?.id ?? '', settle)),
    undefined,
  );
  const again = await errorOf(harness, settle => harness.store.deadLetters.drop(two?.id ?? '', settle));
  assert.is(again instanceof Failure && again.code, 'letter.unknown');
  await harness.restart();
  assert.equal([letters(harness), texts(harness.peek('a'))], [[], ['3', '1']]);
  await harness.finish();
});

dead(
  'the oldest dead letters of a queue are deleted if the queue has more than MAX_DEAD_LETTERS',
  async () => {
    const harness = await createStoreHarness();
    const { sent, drain } = consume(harness, 2 * MAX_DEAD_LETTERS);
    for (let n = 0; n < MAX_DEAD_LETTERS + 5; n++)
      harness.store.append(messageOf(String(n)), [to('a')], () => {});
    for (const entry of sent) drain.reject(entry, 'no');
    drain.stop();
    await harness.restart();
    const kept = letters(harness);
    assert.is(kept.length, MAX_DEAD_LETTERS);
    assert.equal(kept[0], ['a', 'no', '5']);
    assert.is(harness.store.health().letters, MAX_DEAD_LETTERS);
    await harness.finish();
  },
);

dead('a queue that exceeds the limit of dead letters loses only its own dead letters', async () => {
  const harness = await createStoreHarness();
  const quiet = ['q0', 'q1', 'q2'];
  await reject(harness, 'quiet', quiet);
  await reject(harness, 'noisy', numbered(MAX_DEAD_LETTERS + 5));
  const kept = numbered(MAX_DEAD_LETTERS + 5).slice(8);
  assert.equal([bodiesOf(harness, 'quiet'), bodiesOf(harness, 'noisy')], [quiet, kept]);
  await harness.pass(2 * SWEEP_INTERVAL_MS);
  const warned = harness.warnings.filter(text => text.includes('dead letters'));
  assert.equal(warned, [
    'The dead letters have reached their maximum: the oldest 8 were deleted. Replay or drop some: see "skerry queue dead".',
  ]);
  await harness.restart();
  await reject(harness, 'noisy', ['more']);
  await reject(harness, 'quiet', ['q3']);
  await harness.restart();
  assert.equal(bodiesOf(harness, 'quiet'), [...quiet, 'q3']);
  assert.equal(bodiesOf(harness, 'noisy'), [...kept.slice(2), 'more']);
  assert.is(harness.store.health().letters, MAX_DEAD_LETTERS);
  await harness.finish();
});

dead('large dead letters of one queue do not displace small dead letters of another queue', async () => {
  const harness = await createStoreHarness();
  await reject(harness, 'quiet', numbered(300));
  const large = MAX_DEAD_LETTER_BYTES / 16;
  for (let n = 0; n < 20; n++) await reject(harness, 'noisy', [String(n).padEnd(large)]);
  await harness.restart();
  assert.equal(bodiesOf(harness, 'quiet'), numbered(300));
  assert.equal(
    bodiesOf(harness, 'noisy').map(body => Number(body)),
    numbered(20).slice(5).map(Number),
  );
  await harness.finish();
});

dead('the dead letters of all queues of one user count towards one limit', async () => {
  const harness = await createStoreHarness();
  const many = numbered(10, 'session-');
  assignShare(harness, 'user:greedy', many);
  const quiet = numbered(150);
  for (const queue of many) await reject(harness, queue, numbered(MAX_DEAD_LETTERS / 10));
  await reject(harness, 'quiet', quiet);
  assert.equal(bodiesOf(harness, 'quiet'), quiet);
  // Dead letters are loaded before the sessions of their holder.
  await harness.restart();
  assignShare(harness, 'user:greedy', many);
  await reject(harness, 'session-3', numbered(30, 'x'));
  assert.equal(bodiesOf(harness, 'quiet'), quiet);
  assert.equal(
    many.map(queue => bodiesOf(harness, queue).length),
    many.map(() => 85),
  );
  await harness.finish();
});

dead('an entry that is rejected twice becomes one dead letter', () => {
  const values = new Map<string, Buffer | undefined>();
  const host = {
    now: () => 0,
    names: () => Array.from(values.keys()),
    get: (name: string) => values.get(name),
    put: (name: string, value: Buffer | undefined) =>
      void (value === undefined ? values.delete(name) : values.set(name, value)),
    append: () => {},
  };
  const queue = queueState(1, { name: 'a', retired: false, depth: 1, bytes: 9 }, true);
  const removed = removedDamagedEntry(queue, 0, 7, Number.POSITIVE_INFINITY);
  createDeadLetters(host).add(removed, 'before the start', Buffer.alloc(0), () => {});
  queue.share = { holder: 'user:u', add: () => {}, available: () => 0 };
  createDeadLetters(host).add(removed, 'after it', Buffer.alloc(0), () => {});
  const opened = createDeadLetters(host);
  assert.equal(
    opened.list().map(({ id, reason }) => [id, reason]),
    [['7-1', 'after it']],
  );
  assert.is(values.size, 1);
});

dead('`drop` removes a waiting message by its sequence number, but no in-flight message', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', '2']) await harness.append(messageOf(text), [to('a')]);
  await harness.restart();
  await harness.append(messageOf('3'), [to('a')]);
  const waiting = harness.store.peek('a', 10);
  assert.equal(
    waiting.map(({ message }) => message?.body.toString()),
    ['1', '2', '3'],
  );
  assert.is(harness.store.peek('a', 1).length, 1);
  assert.equal(harness.store.peek('nobody', 1), []);
  const { drain } = consume(harness, 1);
  const errors: (string | undefined)[] = [];
  for (const { sequence } of waiting) {
    const error = await errorOf(harness, settle => harness.store.drop('a', sequence, settle));
    errors.push(error instanceof Failure ? error.code : undefined);
  }
  assert.equal(errors, ['entry.unknown', undefined, undefined]);
  drain.stop();
  await harness.restart();
  assert.equal(texts(harness.peek('a')), ['1']);
  await harness.finish();
});

dead.run();
