import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ATTEMPTS, MAX_DELIVERY_EXCEPTIONS } from '../../../src/queue/limits.ts';
import type { Drain } from '../../../src/queue/types.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';

const attempts = suite('queue: failed deliveries');

/** A consumer of queue `a` that throws for `poison` as long as `isBad` says so, and acknowledges all else. */
function consume(
  stage: StoreHarness,
  isBad = (): boolean => true,
): { readonly sent: string[]; readonly drain: Drain } {
  const sent: string[] = [];
  const drain = stage.store.drain('a', {
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

/** Lets time pass, and the disk work, until `check` is true. */
async function until(stage: StoreHarness, check: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!check()) {
    if (performance.now() > end) throw new Error(`It never came true: ${check}`);
    stage.clock.advance(100);
    await new Promise(resolve => setImmediate(resolve));
  }
}

function reasons(stage: StoreHarness): string[] {
  return stage.store.deadLetters.list().map(({ reason }) => reason);
}

function counts(stage: StoreHarness): string[] {
  return stage.store.names('attempts/');
}

const REASON = `its delivery failed in the hub: It cannot be encoded. (after ${MAX_DELIVERY_EXCEPTIONS} attempts)`;

attempts(
  'an exception of a receiver is contained; its message becomes a dead letter and the others arrive',
  async () => {
    const stage = await createStoreHarness();
    for (const text of ['1', 'poison', '2', '3']) await stage.append(messageOf(text), [to('a')]);
    const { sent, drain } = consume(stage);
    await until(stage, () => reasons(stage).length === 1);
    assert.equal(reasons(stage), [REASON]);
    assert.is(sent.filter(text => text === 'poison').length, MAX_DELIVERY_EXCEPTIONS);
    stage.store.append(messageOf('4'), [to('a')], () => {});
    await until(stage, () => sent.includes('4'));
    assert.equal(
      sent.filter(text => text !== 'poison'),
      ['1', '2', '3', '4'],
    );
    assert.match(
      stage.errors.join(),
      /An exception in the delivery of a message of the queue "a" was contained/,
    );
    assert.equal(counts(stage), []);
    drain.stop();
    await stage.finish();
  },
);

attempts('exceptions are counted over restarts, on disk and in memory alike', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('poison'), [to('a')]);
  for (let run = 1; run < MAX_DELIVERY_EXCEPTIONS; run++) {
    const { sent, drain } = consume(stage);
    assert.equal(sent, ['poison']);
    drain.stop();
    await stage.commit();
    assert.is(counts(stage).length, 1);
    await stage.restart();
    assert.equal(reasons(stage), []);
  }
  consume(stage).drain.stop();
  await stage.commit();
  assert.equal(reasons(stage), [REASON]);
  assert.equal(counts(stage), []);
  await stage.restart();
  assert.equal(consume(stage).sent, []);
  await stage.finish();
});

attempts('a receiver that ends its drain before it throws has its failure counted', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('poison'), [to('a')]);
  for (let link = 0; link < MAX_DELIVERY_EXCEPTIONS; link++) {
    assert.equal(reasons(stage), []);
    const drain: Drain = stage.store.drain('a', {
      window: 10,
      send: () => {
        drain.stop();
        throw new RangeError('It cannot be encoded.');
      },
    });
    drain.wake();
  }
  await stage.commit();
  assert.equal(reasons(stage), [REASON]);
  await stage.finish();
});

attempts('a failure that passes leaves no count, and a healthy delivery writes none', async () => {
  const stage = await createStoreHarness();
  for (const text of ['1', 'poison']) await stage.append(messageOf(text), [to('a')]);
  let bad = true;
  const { sent, drain } = consume(stage, () => bad);
  await until(stage, () => counts(stage).length === 1);
  bad = false;
  await until(stage, () => counts(stage).length === 0);
  assert.equal(sent, ['1', 'poison', 'poison']);
  assert.equal(counts(stage), []);
  assert.equal(reasons(stage), []);
  drain.stop();
  await stage.finish();
});

attempts('what a receiver asks to try again is counted over restarts', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('x'), [to('a')]);
  for (let run = 0; run < MAX_ATTEMPTS; run++) {
    assert.equal(reasons(stage), []);
    const drain: Drain = stage.store.drain('a', {
      window: 1,
      send: entry => {
        setImmediate(() => drain.retry(entry, 'the upstream refused it'));
        return true;
      },
    });
    drain.wake();
    await until(stage, () => counts(stage).length === (run + 1 < MAX_ATTEMPTS ? 1 : 0));
    await new Promise(resolve => setImmediate(resolve));
    drain.stop();
    if (run % 5 === 0) await stage.restart();
  }
  assert.equal(reasons(stage), [`the upstream refused it (after ${MAX_ATTEMPTS} attempts)`]);
  await stage.finish();
});

attempts('a purged queue leaves no count behind', async () => {
  const stage = await createStoreHarness();
  await stage.append(messageOf('poison'), [to('a')]);
  consume(stage).drain.stop();
  await stage.commit();
  assert.is(counts(stage).length, 1);
  stage.store.purge('a');
  await stage.commit();
  assert.equal(counts(stage), []);
  await stage.finish();
});

attempts.run();
