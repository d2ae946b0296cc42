import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const order = suite('queue: the order over a crash');

order(
  'a message that is with its receiver is not overtaken on disk by a younger one of its queue',
  async () => {
    const stage = await createStoreHarness();
    const drain = stage.store.drain('a', { window: 1, send: () => true });
    drain.wake();
    stage.store.append(messageOf('first'), [to('a')], () => {});
    await stage.append(messageOf('second'), [to('a')]);
    const folder = mkdtempSync(join(tmpdir(), 'skerry-queue-'));
    cpSync(stage.folder, folder, { recursive: true });
    const crashed = await createStoreHarness({ folder });
    assert.equal(texts(crashed.peek('a')), ['first', 'second']);
    drain.stop();
    await crashed.finish();
    await stage.finish();
  },
);

order('what another queue writes spares it its write as before', async () => {
  const stage = await createStoreHarness();
  const drain = stage.store.drain('a', { window: 1, send: () => true });
  drain.wake();
  let settled = false;
  stage.store.append(messageOf('first'), [to('a')], () => {
    settled = true;
  });
  await stage.append(messageOf('other'), [to('b')]);
  assert.not(settled);
  drain.stop();
  await stage.finish();
});

order.run();
