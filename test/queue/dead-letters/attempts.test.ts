import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ATTEMPTS, MAX_DELIVERY_EXCEPTIONS } from '../../../src/queue/limits.ts';
import type { Drain } from '../../../src/queue/types.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';

const attempts = suite('queue: failed deliveries');

/**
 * Starts a consumer of queue `a` that throws for `poison` while `isBad` is true, and acknowledges other
 * messages.
 */
function consume(
  harness: StoreHarness,
  isBad = (): boolean => true,
): { readonly sent: string[]; readonly drain: Drain } {
  const sent: string[] = [];
  const drain = harness.store.drain('a', {
    window: 10,
    send: entry => {
      const text = entry.message.body.toString();
      sent.push(text);
      if (text === 'poison' && isBad()) throw new RangeError('It cannot be encoded.');
      setImmediate(() => drain.acknowledge(entry));
      return true;
    },
  });
  drain.wake();
  return { sent, drain };
}

/** Advances the clock and the event loop until `check` is true. */
async function until(harness: StoreHarness, check: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!check()) {
    if (performance.now() > end) throw new Error(`The check did not become true: ${check}`);
    harness.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
}

function reasons(harness: StoreHarness): string[] {
  return harness.store.deadLetters.list().map(({ reason }) => reason);
}

function counts(harness: StoreHarness): string[] {
  return harness.store.names('attempts/');
}

const REASON = `its delivery failed with an internal error: It cannot be encoded. (after ${MAX_DELIVERY_EXCEPTIONS} attempts)`;

attempts(
  'a message whose receiver always throws becomes a dead letter, and other messages are delivered',
  async () => {
    const harness = await createStoreHarness();
    for (const text of ['1', 'poison', '2', '3']) await harness.append(messageOf(text), [to('a')]);
    const { sent, drain } = consume(harness);
    await until(harness, () => reasons(harness).length === 1);
    assert.equal(reasons(harness), [REASON]);
    assert.is(sent.filter(text => text === 'poison').length, MAX_DELIVERY_EXCEPTIONS);
    harness.store.append(messageOf('4'), [to('a')], () => {});
    await until(harness, () => sent.includes('4'));
    assert.equal(
      sent.filter(text => text !== 'poison'),
      ['1', '2', '3', '4'],
    );
    assert.match(
      harness.errors.join(),
      /Unexpected exception in the delivery of a message of the queue "a"; the hub continues/,
    );
    assert.equal(counts(harness), []);
    drain.stop();
    await harness.finish();
  },
);

attempts('the number of exceptions that a receiver has thrown for a message survives restarts', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('poison'), [to('a')]);
  for (let run = 1; run < MAX_DELIVERY_EXCEPTIONS; run++) {
    const { sent, drain } = consume(harness);
    assert.equal(sent, ['poison']);
    drain.stop();
    await harness.commit();
    assert.is(counts(harness).length, 1);
    await harness.restart();
    assert.equal(reasons(harness), []);
  }
  consume(harness).drain.stop();
  await harness.commit();
  assert.equal(reasons(harness), [REASON]);
  assert.equal(counts(harness), []);
  await harness.restart();
  assert.equal(consume(harness).sent, []);
  await harness.finish();
});

attempts(
  'an exception that a receiver throws is counted, also if the receiver has stopped its drain before',
  async () => {
    const harness = await createStoreHarness();
    await harness.append(messageOf('poison'), [to('a')]);
    for (let link = 0; link < MAX_DELIVERY_EXCEPTIONS; link++) {
      assert.equal(reasons(harness), []);
      const drain: Drain = harness.store.drain('a', {
        window: 10,
        send: () => {
          drain.stop();
          throw new RangeError('It cannot be encoded.');
        },
      });
      drain.wake();
    }
    await harness.commit();
    assert.equal(reasons(harness), [REASON]);
    await harness.finish();
  },
);

attempts('a successful delivery deletes the failure count of its message', async () => {
  const harness = await createStoreHarness();
  for (const text of ['1', 'poison']) await harness.append(messageOf(text), [to('a')]);
  let bad = true;
  const { sent, drain } = consume(harness, () => bad);
  await until(harness, () => counts(harness).length === 1);
  bad = false;
  await until(harness, () => counts(harness).length === 0);
  assert.equal(sent, ['1', 'poison', 'poison']);
  assert.equal(counts(harness), []);
  assert.equal(reasons(harness), []);
  drain.stop();
  await harness.finish();
});

attempts('the number of retries that a receiver has requested for a message survives restarts', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('x'), [to('a')]);
  for (let run = 0; run < MAX_ATTEMPTS; run++) {
    assert.equal(reasons(harness), []);
    const drain: Drain = harness.store.drain('a', {
      window: 1,
      send: entry => {
        setImmediate(() => drain.retry(entry, 'the upstream refused it'));
        return true;
      },
    });
    drain.wake();
    await until(harness, () => counts(harness).length === (run + 1 < MAX_ATTEMPTS ? 1 : 0));
    await new Promise(resolve => setImmediate(resolve));
    drain.stop();
    if (run % 5 === 0) await harness.restart();
  }
  assert.equal(reasons(harness), [`the upstream refused it (after ${MAX_ATTEMPTS} attempts)`]);
  await harness.finish();
});

attempts('the purge of a queue deletes the failure counts of its messages', async () => {
  const harness = await createStoreHarness();
  await harness.append(messageOf('poison'), [to('a')]);
  consume(harness).drain.stop();
  await harness.commit();
  assert.is(counts(harness).length, 1);
  harness.store.purge('a');
  await harness.commit();
  assert.equal(counts(harness), []);
  await harness.finish();
});

attempts.run();
