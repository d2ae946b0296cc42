import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { MAX_REMOVING } from '../../../src/queue/limits.ts';
import { fillDisk, onTmpfs } from '../../harness/disks.ts';
import type { StoreHarness } from '../../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../../harness/queue.ts';

/** MB of a test disk with space for the reserve, the journals and some messages. */
const DISK = 12;

/** MB of a test disk with space for more messages than the maximum of removals in memory. */
const LARGE_DISK = 32;

const disk = suite('queue: full disk');

/** Appends until a message is refused. Resolves to the stored messages and the refusal. */
async function fill(harness: StoreHarness): Promise<{ stored: string[]; refusal: Error }> {
  const stored: string[] = [];
  for (let n = 0; ; n++) {
    const text = `${n} ${'x'.repeat(20_000)}`;
    const refusal = await harness.append(messageOf(text), [to('a')]);
    if (refusal !== undefined) return { stored, refusal };
    stored.push(text);
  }
}

disk('a store on a full disk refuses new messages and accepts messages again after it is drained', () =>
  onTmpfs(DISK, async folder => {
    const harness = await createStoreHarness({ folder: join(folder, 'store') });
    const { stored, refusal } = await fill(harness);
    assert.is(refusal instanceof Failure && refusal.code, 'store.full');
    assert.match(refusal.message, /disk of the store/);
    assert.ok(stored.length > 50, `only ${stored.length} were stored`);
    assert.is(harness.store.health().state, 'full');
    await harness.restart();
    assert.equal(texts(harness.peek('a')), stored);
    assert.equal(harness.deliver('a', 10), stored);
    // The disk frees the space with a delay.
    let refused: Error | undefined = refusal;
    for (let tries = 0; refused !== undefined && tries < 100; tries++) {
      await harness.pass(1_000);
      refused = await harness.append(messageOf('y'.repeat(20_000)), [to('b')]);
    }
    for (let n = 0; n < 20; n++)
      assert.is(await harness.append(messageOf('y'.repeat(20_000)), [to('b')]), undefined);
    assert.equal(harness.errors, []);
    await harness.store.close();
  }),
);

disk('a store on a disk without a free byte delivers each stored message once', () =>
  onTmpfs(DISK, async folder => {
    const harness = await createStoreHarness({ folder: join(folder, 'store') });
    const stored = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(20_000)}`);
    for (const text of stored.slice(0, 20))
      assert.is(await harness.append(messageOf(text), [to('a')]), undefined);
    await harness.restart();
    for (const text of stored.slice(20))
      assert.is(await harness.append(messageOf(text), [to('a')]), undefined);
    rmSync(join(folder, 'store', 'ballast'));
    fillDisk(join(folder, 'others'));
    await harness.pass(5_000);
    assert.is(harness.store.health().state, 'working');
    assert.instance(await harness.append(messageOf('refused'), [to('a')]), Failure);
    // The journal has its space already, so deliveries can be recorded.
    assert.equal(harness.deliver('a', 10), stored);
    await harness.pass(10_000);
    assert.is(harness.store.health().state, 'failing');
    assert.match(
      harness.store.health().reason ?? '',
      /No space left on device: Attempting to write a page\.$/,
    );
    rmSync(join(folder, 'others'));
    await harness.pass(5_000);
    assert.is(harness.store.health().state, 'working');
    await harness.restart();
    assert.equal(texts(harness.peek('a')), []);
    assert.is(await harness.append(messageOf('y'), [to('a')]), undefined);
    await harness.store.close();
  }),
);

/** Appends `count` small messages to queue `a` at once. Resolves to their bodies. */
async function appendSmall(harness: StoreHarness, count: number): Promise<string[]> {
  const sent = Array.from({ length: count }, (_, n) => `${n}`.padEnd(100, 'x'));
  for (const text of sent)
    harness.store.append(messageOf(text), [to('a')], error => assert.is(error, undefined));
  await harness.commit();
  return sent;
}

disk('a store that is opened on a full disk delivers stored messages and refuses new messages', () =>
  onTmpfs(LARGE_DISK, async folder => {
    const harness = await createStoreHarness({ folder: join(folder, 'store') });
    const stored = await appendSmall(harness, MAX_REMOVING + 4_000);
    await harness.store.close();
    fillDisk(join(folder, 'others'));
    await harness.reopen();
    assert.equal(harness.errors, []);
    const refusal = await harness.append(messageOf('refused'), [to('a')]);
    assert.is(refusal instanceof Failure && refusal.code, 'store.full');
    const delivered = harness.deliver('a', 10);
    for (let turn = 0; delivered.length < stored.length && turn < 50; turn++) {
      await harness.pass(5_000);
      delivered.push(...harness.deliver('a', 10));
    }
    assert.equal(delivered, stored);
    await harness.pass(10_000);
    assert.equal(harness.errors, []);
    await harness.restart();
    assert.equal(harness.peek('a'), []);
    rmSync(join(folder, 'others'));
    await harness.pass(20_000);
    assert.is(await harness.append(messageOf('y'), [to('a')]), undefined);
    await harness.store.close();
  }),
);

disk('a nearly empty store on a full disk records deliveries in the reserved space of its journals', () =>
  onTmpfs(DISK, async folder => {
    const harness = await createStoreHarness({ folder: join(folder, 'store') });
    const stored = await appendSmall(harness, 3);
    fillDisk(join(folder, 'others'));
    for (let starts = 0; starts < 3; starts++) {
      await harness.restart();
      assert.equal(harness.errors, []);
    }
    assert.equal(harness.deliver('a', 10), stored);
    await harness.pass(2_000);
    assert.equal(harness.errors, []);
    await harness.restart();
    assert.equal(harness.peek('a'), []);
    await harness.store.close();
  }),
);

disk('a store without its lock file fails to open on a full disk with an error, not with a crash', () =>
  onTmpfs(DISK, async folder => {
    const harness = await createStoreHarness({ folder: join(folder, 'store') });
    await harness.store.close();
    rmSync(join(folder, 'store', 'lock.mdb'));
    fillDisk(join(folder, 'others'));
    const thrown = await harness.reopen().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.is(thrown instanceof Failure && thrown.code, 'store.unreadable');
    assert.match(thrown instanceof Failure ? thrown.message : '', /ENOSPC/);
  }),
);

disk.run();
