import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { MAX_ATTEMPTS, MAX_DEAD_LETTERS } from '../../src/queue/limits.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import type { Stage } from '../harness/queue.ts';
import { createStage, messageOf, texts, to } from '../harness/queue.ts';

/** A consumer of queue `a` that takes everything, and what it was sent. */
function consume(stage: Stage, window = 10) {
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain('a', { window, send: entry => sent.push(entry) > 0 });
  drain.wake();
  return { sent, drain };
}

function letters(stage: Stage) {
  return stage.store.deadLetters
    .list()
    .map(({ queue, reason, message }) => [queue, reason, message?.body.toString()]);
}

/** Resolves to the error that a request about a letter ends with. */
async function settled(
  stage: Stage,
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
  const stage = await createStage();
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
  const stage = await createStage();
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
  const stage = await createStage();
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
  const stage = await createStage();
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
  const stage = await createStage();
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

dead('letters are bounded: the oldest go first', async () => {
  const stage = await createStage();
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

dead('one message is looked at and forgotten by its number, unless its receiver has it', async () => {
  const stage = await createStage();
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
