import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const order = suite('queue: order after a crash');

order('after a crash an in-flight message is sent before later messages of its queue', async () => {
  const harness = await createStoreHarness();
  const drain = harness.store.drain('a', { window: 1, send: () => true });
  drain.wake();
  harness.store.append(messageOf('first'), [to('a')], () => {});
  await harness.append(messageOf('second'), [to('a')]);
  const folder = mkdtempSync(join(tmpdir(), 'skerry-queue-'));
  cpSync(harness.folder, folder, { recursive: true });
  const crashed = await createStoreHarness({ folder });
  assert.equal(texts(crashed.peek('a')), ['first', 'second']);
  drain.stop();
  await crashed.finish();
  await harness.finish();
});

order('an in-flight message is not written to disk by the commit of a message of another queue', async () => {
  const harness = await createStoreHarness();
  const drain = harness.store.drain('a', { window: 1, send: () => true });
  drain.wake();
  let durable = false;
  harness.store.append(messageOf('first'), [to('a')], () => {
    durable = true;
  });
  await harness.append(messageOf('other'), [to('b')]);
  assert.not(durable);
  drain.stop();
  await harness.finish();
});

order.run();
