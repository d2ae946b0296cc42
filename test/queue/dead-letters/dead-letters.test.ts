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

/** A consumer of queue `a` that takes everything, and what it was sent. */
function consume(stage: StoreHarness, window = 10) {
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window, send: entry => sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain };
}

/** Appends messages to a queue and rejects each of them. */
async function reject(stage: StoreHarness, queue: string, bodies: readonly string[]): Promise<void> {
  const sent: QueueEntry[] = [];
  const window = bodies.length;
  const drain = stage.store.drain(queue, { window, send: entry => sent.push(entry) > 0 });
  drain.wake();
  for (const body of bodies) stage.store.append(messageOf(body), [to(queue)], () => {});
  assert.is(sent.length, window);
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  await stage.commit();
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

/** Bodies of the letters of a queue. */
function bodiesOf(stage: StoreHarness, queue: string): string[] {
  return letters(stage).flatMap(([of, , body]) => (of === queue ? [body ?? ''] : []));
}

function assignShare(stage: StoreHarness, holder: string, queues: readonly string[]): void {
  for (const queue of queues)
    stage.store.assignShare(queue, { holder, add: () => {}, available: () => Number.MAX_SAFE_INTEGER });
}

function letters(stage: StoreHarness) {
  return stage.store.deadLetters
    .list()
    .map(({ queue, reason, message }) => [queue, reason, message?.body.toString()]);
}

/** Resolves to the error that a request about a letter ends with. */
async function settled(
  stage: StoreHarness,
  begin: (settle: (error?: Error) => void) => void,
): Promise<Error | undefined> {
  let error: Error | undefined;
  begin(failure => {
    error = failure;
  });
  await stage.commit();
  return error;
}

const dead = suite('queue: dead letters');

dead('what a receiver refuses leaves its queue and is kept, with the reason, across a restart', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a', 3)]);
  await stage.restart();
  const { sent, drain } = consume(stage);
  const [first, second] = sent;
  if (first !== undefined) drain.reject(first, 'it is too large');
  if (second !== undefined) drain.acknowledge(second);
  drain.stop();
  await stage.commit();
  assert.is(stage.store.counts().dead, 1);
  for (let restarts = 0; restarts < 2; restarts++) {
    assert.equal(letters(stage), [['a', 'it is too large', '1']]);
    assert.equal(texts(stage.peek('a')), ['3']);
    await stage.restart();
  }
  await stage.finish();
});

dead('what is refused before its commit is kept too, and its sender waits for that', async () => {
  const stage = await createStoreHarness();
  let settledAppend = false;
  const { sent, drain } = consume(stage);
  stage.store.append(messageOf('x'), [to('a')], error => {
    settledAppend = error === undefined;
  });
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  assert.not(settledAppend);
  await stage.commit();
  assert.ok(settledAppend);
  await stage.restart();
  assert.equal(letters(stage), [['a', 'no', 'x']]);
  assert.is(await stage.finish(), 0);
});

dead('what fails is offered again at its place, and after a number of attempts it is refused', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2']) await stage.append(messageOf(text), [to('a')]);
  const { sent, drain } = consume(stage, 1);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const [entry] = sent.splice(0);
    assert.equal(entry?.message.body.toString(), '1');
    assert.is(entry?.redelivered, attempt > 1);
    if (entry !== undefined) drain.retry(entry, 'the line is noisy');
    drain.wake();
  }
  assert.equal(texts(sent), ['2']);
  drain.stop();
  assert.equal(letters(stage), [['a', `the line is noisy (after ${MAX_ATTEMPTS} attempts)`, '1']]);
  await stage.finish();
});

dead('a message of several queues that one refuses is delivered to the others', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('x'), [to('a'), to('b')]);
  const { sent, drain } = consume(stage);
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  await stage.restart();
  assert.equal(stage.deliver('b'), ['x']);
  assert.equal(letters(stage), [['a', 'no', 'x']]);
  assert.is(await stage.finish(), 0);
});

dead('a letter is replayed to the end of its queue, or dropped', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2', '3']) await stage.append(messageOf(text), [to('a')]);
  const { sent, drain } = consume(stage);
  for (const entry of sent.slice(0, 2)) drain.reject(entry, 'no');
  drain.stop();
  await stage.commit();
  const [one, two] = stage.store.deadLetters.list();
  assert.is(await settled(stage, settle => stage.store.deadLetters.replay(one?.id ?? '', settle)), undefined);
  assert.is(await settled(stage, settle => stage.store.deadLetters.drop(two?.id ?? '', settle)), undefined);
  const again = await settled(stage, settle => stage.store.deadLetters.drop(two?.id ?? '', settle));
  assert.is(again instanceof Failure && again.code, 'letter.unknown');
  await stage.restart();
  assert.equal([letters(stage), texts(stage.peek('a'))], [[], ['3', '1']]);
  await stage.finish();
});

dead('letters of one queue are bounded: the oldest go first', async () => {
  const stage = await createStoreHarness();
  const { sent, drain } = consume(stage, 2 * MAX_DEAD_LETTERS);
  for (let n = 0; n < MAX_DEAD_LETTERS + 5; n++)
    stage.store.append(messageOf(String(n)), [to('a')], () => {});
  for (const entry of sent) drain.reject(entry, 'no');
  drain.stop();
  await stage.restart();
  const kept = letters(stage);
  assert.is(kept.length, MAX_DEAD_LETTERS);
  assert.equal(kept[0], ['a', 'no', '5']);
  assert.is(stage.store.health().letters, MAX_DEAD_LETTERS);
  await stage.finish();
});

dead('a queue that fills the bound loses its own letters, also after a restart', async () => {
  const stage = await createStoreHarness();
  const quiet = ['q0', 'q1', 'q2'];
  await reject(stage, 'quiet', quiet);
  await reject(stage, 'noisy', numbered(MAX_DEAD_LETTERS + 5));
  const kept = numbered(MAX_DEAD_LETTERS + 5).slice(8);
  assert.equal([bodiesOf(stage, 'quiet'), bodiesOf(stage, 'noisy')], [quiet, kept]);
  await stage.pass(2 * SWEEP_INTERVAL_MS);
  const warned = stage.warnings.filter(text => text.includes('dead letters'));
  assert.equal(warned, [
    'The dead letters have reached their maximum: the oldest 8 were deleted. Replay or drop some: see "skerry queue dead".',
  ]);
  await stage.restart();
  await reject(stage, 'noisy', ['more']);
  await reject(stage, 'quiet', ['q3']);
  await stage.restart();
  assert.equal(bodiesOf(stage, 'quiet'), [...quiet, 'q3']);
  assert.equal(bodiesOf(stage, 'noisy'), [...kept.slice(2), 'more']);
  assert.is(stage.store.health().letters, MAX_DEAD_LETTERS);
  await stage.finish();
});

dead('a few large letters that fill the bytes leave many small ones of another queue', async () => {
  const stage = await createStoreHarness();
  await reject(stage, 'quiet', numbered(300));
  const large = MAX_DEAD_LETTER_BYTES / 16;
  for (let n = 0; n < 20; n++) await reject(stage, 'noisy', [String(n).padEnd(large)]);
  await stage.restart();
  assert.equal(bodiesOf(stage, 'quiet'), numbered(300));
  assert.equal(
    bodiesOf(stage, 'noisy').map(body => Number(body)),
    numbered(20).slice(5).map(Number),
  );
  await stage.finish();
});

dead('many queues of one holder count together, also after a restart, and the noisiest loses', async () => {
  const stage = await createStoreHarness();
  const many = numbered(10, 'session-');
  assignShare(stage, 'user:greedy', many);
  const quiet = numbered(150);
  for (const queue of many) await reject(stage, queue, numbered(MAX_DEAD_LETTERS / 10));
  await reject(stage, 'quiet', quiet);
  assert.equal(bodiesOf(stage, 'quiet'), quiet);
  // Letters are read before the sessions of their holder are.
  await stage.restart();
  assignShare(stage, 'user:greedy', many);
  await reject(stage, 'session-3', numbered(30, 'x'));
  assert.equal(bodiesOf(stage, 'quiet'), quiet);
  assert.equal(
    many.map(queue => bodiesOf(stage, queue).length),
    many.map(() => 85),
  );
  await stage.finish();
});

dead('an entry that dies twice makes one letter, although its queue got another holder meanwhile', () => {
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

dead('one message is looked at and forgotten by its number, unless its receiver has it', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', '2']) await stage.append(messageOf(text), [to('a')]);
  await stage.restart();
  await stage.append(messageOf('3'), [to('a')]);
  const waiting = stage.store.peek('a', 10);
  assert.equal(
    waiting.map(({ message }) => message?.body.toString()),
    ['1', '2', '3'],
  );
  assert.is(stage.store.peek('a', 1).length, 1);
  assert.equal(stage.store.peek('nobody', 1), []);
  const { drain } = consume(stage, 1);
  const errors: (string | undefined)[] = [];
  for (const { sequence } of waiting) {
    const error = await settled(stage, settle => stage.store.drop('a', sequence, settle));
    errors.push(error instanceof Failure ? error.code : undefined);
  }
  assert.equal(errors, ['entry.unknown', undefined, undefined]);
  drain.stop();
  await stage.restart();
  assert.equal(texts(stage.peek('a')), ['1']);
  await stage.finish();
});

dead.run();
